// The reference that an exchange gave in place of a token, for how long it stands, and what it resolves to.

import type { ExchangeCredentialReferenceResponse, VaultError } from "grant-vault";
import { useRef, useState } from "preact/hooks";
import { useSecondsUntil } from "../model/clock";
import { exact } from "../model/expiry";
import { hold, useExchanged } from "../model/exchanged";
import { type Session, failure } from "../model/session";
import { CopyButton, copyText } from "../ui/copy-button";
import { Expiry } from "../ui/moment";
import { RESOLVE_HELP, Refused } from "./refused";
import { TokenCard } from "./token-card";

interface ReferenceCardProps {
  session: Session;
  referred: ExchangeCredentialReferenceResponse;
  principalId: string;
}

export function ReferenceCard({ session, referred, principalId }: ReferenceCardProps) {
  const [resolved, setResolved] = useExchanged();
  const [error, setError] = useState<VaultError>();
  const [isBusy, setBusy] = useState(false);
  const result = useRef<HTMLDivElement>(null);
  const { credentialRef, service, credentialType, tokenExpiresAt, metadata, referenceExpiresAt } = referred;

  const resolve = async () => {
    setBusy(true);
    setError(undefined);
    setResolved(undefined);
    try {
      setResolved(hold(await session.client.resolveReference(credentialRef), principalId));
    } catch (thrown) {
      setError(failure(thrown));
    }
    setBusy(false);
    result.current?.focus();
  };

  return (
    <>
      <div class="token" role="group" aria-label={`Reference for ${service}`}>
        <header class="token-head">
          <h3>{service}</h3>
          <span class="muted">{credentialType}, by reference</span>
          <Expiry at={tokenExpiresAt} />
        </header>
        <div class="token-value">
          <output class="mono" aria-label="Reference, shortened">{shortened(credentialRef)}</output>
          <CopyButton what="the reference" copy={copyText(credentialRef)} />
        </div>
        <Stands until={referenceExpiresAt} />
        {Object.keys(metadata).length > 0 && <pre class="code" tabIndex={0} aria-label="Metadata">{JSON.stringify(metadata, null, 2)}</pre>}
        <p class="reference-use">The agent never holds the token. It hands the reference to a service of yours, which has it resolved:</p>
        <button type="button" class="button" disabled={isBusy} onClick={resolve}>
          {isBusy ? "Resolving…" : "Resolve with my API key"}
        </button>
      </div>
      <div ref={result} tabIndex={-1} class="exchange-result">
        {error && <Refused error={error} help={RESOLVE_HELP} />}
        {resolved && <TokenCard exchanged={resolved} again="Resolve" />}
      </div>
    </>
  );
}

/** Enough to tell one from another, and too little to resolve. */
const shortened = (reference: string) => `${reference.slice(0, 12)}…${reference.slice(-6)}`;

/** By this browser's clock. Whether it really stands the vault says, which can be asked in either case. */
function Stands({ until }: { until: string }) {
  const seconds = useSecondsUntil(until);
  return (
    <p class="reference-time">
      {seconds > 0 ? (
        <>
          Stands for <span class="token-seconds">{`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`}</span> more, until{" "}
        </>
      ) : (
        <strong>Has ended: </strong>
      )}
      <time dateTime={until}>{exact(until)}</time>
    </p>
  );
}
