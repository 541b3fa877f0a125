// The contract is a good OpenAPI document: nothing to complain of for Redocly's linter, all examples valid.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createConfig, lint } from "@redocly/openapi-core";
import { at } from "../../scripts/lib/run.mjs";

const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    "operation-singular-tag": "error",
    "operation-tag-defined": "error",
    "parameter-description": "error",
    "path-http-verbs-order": "error",
    "response-mime-type": { severity: "error", allowedValues: ["application/json"] },
    "request-mime-type": { severity: "error", allowedValues: ["application/json", "application/x-www-form-urlencoded"] },
    "spec-example-values": "error",
    "spec-strict-refs": "error",
  },
});

test("www/openapi.json has no problem that the linter knows", async () => {
  const problems = await lint({ ref: at("www", "openapi.json"), config });
  assert.deepEqual(problems.map(({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer}: ${message}`), []);
});
