// Signed in or not, and what is shown then.

import { useEffect } from "preact/hooks";
import { VIEWS, view } from "./model/route";
import { session } from "./model/session";
import { Toasts } from "./ui/toasts";
import { Credentials } from "./views/credentials";
import { Exchange } from "./views/exchange";
import { Shell } from "./views/shell";
import { SignIn } from "./views/sign-in";

export function App() {
  const current = session.value;
  const title = current ? VIEWS[view.value] : "Sign in";
  useEffect(() => {
    document.title = `${title} · grant-vault`;
  }, [title]);
  return (
    <>
      {current === undefined && <p class="visually-hidden" role="status">Loading</p>}
      {current === null && <SignIn />}
      {current && (
        <Shell session={current}>
          {view.value === "exchange" ? <Exchange session={current} /> : <Credentials session={current} />}
        </Shell>
      )}
      <Toasts />
    </>
  );
}
