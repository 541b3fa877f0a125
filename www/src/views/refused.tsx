// What the vault refused, with what can be known of why.

import type { VaultError } from "grant-vault";
import { Problem } from "../ui/field";

type Help = Record<string, string>;

export const EXCHANGE_HELP: Help = {
  UNAUTHORIZED: "The vault tells agents no more than this. Its log has a line with the request's id that says why: signature, issuer, audience, times or a revocation.",
  FORBIDDEN: "The grant is good, and none of its scopes permits this service.",
  NOT_FOUND: "The grant is good, and nothing is stored for its principal and this service.",
};

export const RESOLVE_HELP: Help = {
  FORBIDDEN: "A revocation ends every reference that was given before it.",
  NOT_FOUND: "It has ended, it was given for another developer's vault, or its credential is stored no more.",
};

export function Refused({ error, help }: { error: VaultError; help: Help }) {
  return (
    <Problem error={error}>
      {help[error.code] && <p class="problem-help">{help[error.code]}</p>}
    </Problem>
  );
}
