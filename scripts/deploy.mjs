// npm run deploy: `wrangler deploy` with the arguments given, after the set-up. wrangler runs the build
// ([build] in wrangler.toml) and asks for a login when there is none.

import { run, script, wranglerCommand } from "./lib/run.mjs";
import { setUp } from "./lib/setup.mjs";

await script(async () => {
  await setUp();
  return run(wranglerCommand("deploy", ...process.argv.slice(2)), { stdio: "inherit", detached: false });
});
