// What was checked of a grant token in this page, and plainly, what only the vault checks.

import { CircleCheck, CircleX, Vault } from "lucide";
import { GrantVerifier, VaultError } from "grant-vault";
import { useEffect, useState } from "preact/hooks";
import type { Check, Claims } from "../model/grant";
import { Field } from "../ui/field";
import { Icon } from "../ui/icon";

export function GrantChecks({ token, claims, checks }: { token: string; claims: Claims; checks: Check[] }) {
  const failed = checks.filter(({ isGood }) => !isGood);
  return (
    <>
      <p class={failed.length === 0 ? "verdict verdict-good" : "verdict verdict-bad"} role="status">
        <Icon of={failed.length === 0 ? CircleCheck : CircleX} size={18} />
        {failed.length === 0 ? "Form and times are good" : `The vault will refuse this: ${failed.length === 1 ? "one check fails" : `${failed.length} checks fail`}`}
      </p>
      <ul class="checks">
        {checks.map(({ what, isGood, why }) => (
          <li key={what} class={isGood ? "check-good" : "check-bad"}>
            <Icon of={isGood ? CircleCheck : CircleX} />
            <span>
              {what}
              {!isGood && <strong>: no, {why}</strong>}
            </span>
          </li>
        ))}
        <li class="check-vault">
          <Icon of={Vault} />
          <span>Signature, trusted issuer and audience, and revocation: the vault checks these when you exchange.</span>
        </li>
      </ul>
      <SignatureCheck token={token} claims={claims} />
    </>
  );
}

/** The signature can be checked here by whoever has the issuer's keys. */
function SignatureCheck({ token, claims }: { token: string; claims: Claims }) {
  const [keys, setKeys] = useState("");
  const [outcome, setOutcome] = useState<{ isGood: boolean; text: string }>();
  useEffect(() => setOutcome(undefined), [token, keys]);
  const verify = async () => {
    try {
      const verifier = new GrantVerifier({ issuer: claims.issuer ?? "", jwks: JSON.parse(keys) });
      await verifier.verify(token);
      setOutcome({ isGood: true, text: "The signature is good, by a key of this set." });
    } catch (error) {
      setOutcome({ isGood: false, text: reason(error as Error) });
    }
  };
  return (
    <details class="more">
      <summary>Check the signature here, too</summary>
      <Field label="The issuer's public keys, a JWK Set" hint="As the issuer publishes them. This page asks nobody but the vault, so paste them.">
        {(attributes) => <textarea {...attributes} name="jwks" class="mono" rows={3} spellcheck={false} value={keys} placeholder='{"keys": […]}' onInput={({ currentTarget }) => setKeys(currentTarget.value)} />}
      </Field>
      <button type="button" class="button" onClick={verify} disabled={keys.trim() === ""}>
        Check the signature
      </button>
      <p class={outcome?.isGood ? "is-good" : "is-bad"} role="status">
        {outcome?.text}
      </p>
    </details>
  );
}

function reason(error: Error): string {
  if (error instanceof SyntaxError) return "That is not JSON.";
  if (error instanceof VaultError && error.code === "UNAUTHORIZED") return `Not good: ${String(error.cause ?? error.message)}.`;
  return `${error.message.replace(/^options\./, "")}.`;
}
