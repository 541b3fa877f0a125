// What a grant token says.

import type { ComponentChildren } from "preact";
import { now } from "../model/clock";
import { exact, relative } from "../model/expiry";
import type { Claims } from "../model/grant";

export function GrantFacts({ claims }: { claims: Claims }) {
  const { issuer, principalId, agentDid, developerId, grantId, tokenId, audience, issuedAt, expiresAt, scopes } = claims;
  return (
    <dl class="facts">
      <Fact name="Issuer" of={issuer} />
      <Fact name="Principal" of={principalId} />
      <Fact name="Agent" of={agentDid} />
      <Fact name="Scopes">
        {scopes.length === 0 ? <span class="muted">none</span> : (
          <ul class="chips">
            {scopes.map((scope) => (
              <li key={scope}>
                <code>{scope}</code>
              </li>
            ))}
          </ul>
        )}
      </Fact>
      <Fact name="Expires">{expiresAt === undefined ? <Missing /> : <Time at={expiresAt} />}</Fact>
      <Fact name="Issued">{issuedAt === undefined ? <Missing /> : <Time at={issuedAt} />}</Fact>
      <Fact name="Developer" of={developerId} />
      {audience.length > 0 && <Fact name="Audience" of={audience.join(", ")} />}
      <Fact name="Grant" of={grantId} />
      <Fact name="Token id" of={tokenId} />
    </dl>
  );
}

function Fact({ name, of, children }: { name: string; of?: string; children?: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children ?? (of === undefined ? <Missing /> : <code>{of}</code>)}</dd>
    </div>
  );
}

const Missing = () => <span class="is-bad">missing</span>;

function Time({ at }: { at: number }) {
  // A claim may hold a number that is no time.
  if (Math.abs(at) > 8.64e15) return <span class="is-bad">no time</span>;
  const moment = new Date(at).toISOString();
  return (
    <>
      {relative(moment, now.value)} <span class="fact-exact">{exact(moment)}</span>
    </>
  );
}
