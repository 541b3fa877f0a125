// The token that an exchange, or a reference, gave: dots, until it is revealed; gone from the page when its time is over.

import { Eye, EyeOff, Plus, Trash2 } from "lucide";
import { useState } from "preact/hooks";
import type { Exchanged } from "../model/exchanged";
import type { HeldSecret } from "../model/held-secret";
import { contextOf, keyProblem, looksSealed, open } from "../model/sealing";
import { CopyButton } from "../ui/copy-button";
import { Field } from "../ui/field";
import { Icon } from "../ui/icon";
import { Expiry } from "../ui/moment";
import { SecretInput } from "../ui/secret-input";

interface TokenCardProps {
  exchanged: Exchanged;
  /** What gives it once more. */
  again: "Exchange" | "Resolve";
}

export function TokenCard({ exchanged: { secret, answer, principalId }, again }: TokenCardProps) {
  const [isOpened, setOpened] = useState(false);
  const { service, credentialType, tokenExpiresAt, metadata } = answer;
  return (
    <div class="token" role="group" aria-label={`Token for ${service}`}>
      <header class="token-head">
        <h3>{service}</h3>
        <span class="muted">{credentialType}</span>
        <Expiry at={tokenExpiresAt} />
      </header>
      {secret.isGone ? (
        <p class="token-gone" role="status">
          Cleared from this page. {again} again to see it.
        </p>
      ) : (
        <>
          <Value secret={secret} />
          {isOpened && <p class="is-good">Opened here with your key.</p>}
          {!isOpened && looksSealed(secret.expose()) && <OpenSealed secret={secret} context={contextOf(principalId, service)} onOpened={() => setOpened(true)} />}
        </>
      )}
      {Object.keys(metadata).length > 0 && <pre class="code" tabIndex={0} aria-label="Metadata">{JSON.stringify(metadata, null, 2)}</pre>}
    </div>
  );
}

function Value({ secret }: { secret: HeldSecret }) {
  const { isRevealed, secondsLeft } = secret;
  return (
    <>
      <div class="token-value">
        {/* Always the same dots: not even its length is in the page. */}
        <output class="mono" aria-label="Access token">{isRevealed.value ? secret.expose() : "••••••••••••••••"}</output>
        <button type="button" class="icon-button" aria-pressed={isRevealed.value} aria-label="Reveal the token" onClick={() => (isRevealed.value = !isRevealed.value)}>
          <Icon of={isRevealed.value ? EyeOff : Eye} />
        </button>
        <CopyButton what="the token" copy={() => secret.copy()} />
      </div>
      <div class="token-time">
        <svg viewBox="0 0 60 2" preserveAspectRatio="none" aria-hidden="true">
          <rect width={Math.min(60, secondsLeft.value)} height="2" />
        </svg>
        <p>
          Cleared here, and from the clipboard if copied, in <span class="token-seconds">{secondsLeft.value} s</span>
        </p>
        <button type="button" class="link" onClick={() => secret.extend()}>
          <Icon of={Plus} size={14} />
          1 minute
        </button>
        <button type="button" class="link" onClick={() => secret.forget()}>
          <Icon of={Trash2} size={14} />
          Clear now
        </button>
      </div>
    </>
  );
}

function OpenSealed({ secret, context, onOpened }: { secret: HeldSecret; context: string; onOpened: () => void }) {
  const [key, setKey] = useState("");
  const [place, setPlace] = useState(context);
  const [problem, setProblem] = useState<string>();
  const submit = async (event: Event) => {
    event.preventDefault();
    const malformed = keyProblem(key);
    if (malformed) return setProblem(malformed);
    try {
      secret.replace(await open(key, secret.expose(), place));
      setKey("");
      onOpened();
    } catch {
      setProblem("It doesn't open with this key and context");
    }
  };
  return (
    <form class="open-sealed" onSubmit={submit} noValidate>
      <p>
        <strong>This looks like a sealed text.</strong> Whoever stored it may have sealed it first; with their key it opens here.
      </p>
      <Field label="Sealing key" problem={problem}>
        {(attributes) => <SecretInput {...attributes} name="openKey" rows={1} value={key} onInput={(value) => (setKey(value.trim()), setProblem(undefined))} />}
      </Field>
      <Field label="Context" hint="Principal and service, as it was sealed for">
        {(attributes) => <input {...attributes} class="mono" name="openContext" autocomplete="off" spellcheck={false} value={place} onInput={({ currentTarget }) => setPlace(currentTarget.value)} />}
      </Field>
      <button type="submit" class="button">
        Open it
      </button>
    </form>
  );
}
