// Which services a grant opens: the package judges those that the scopes name, and those that are stored.

import { CircleCheck, CircleX } from "lucide";
import { GrantVerifier, type VaultCredential, init } from "grant-vault";
import { useEffect, useState } from "preact/hooks";
import { type Claims, servicesNamed } from "../model/grant";
import { type Session, failure } from "../model/session";
import { Icon } from "../ui/icon";

export interface OpensState {
  /** Scopes that permit every service there is. */
  everything: string[];
  services: { service: string; scopes: string[]; isStored: boolean }[];
}

export function useOpens(session: Session, claims: Claims | undefined): OpensState | undefined {
  const [opens, setOpens] = useState<OpensState>();
  useEffect(() => {
    setOpens(undefined);
    if (!claims) return;
    let isOver = false;
    Promise.all([init(), storedFor(session, claims)]).then(([, stored]) => isOver || setOpens(judge(claims.scopes, stored)), () => {});
    return () => {
      isOver = true;
    };
  }, [session, claims]);
  return opens;
}

/** What is stored for the grant's principal, if the grant is for the vault of who looks at it. */
async function storedFor({ account, client }: Session, { developerId, principalId }: Claims): Promise<VaultCredential[]> {
  if (developerId !== account.developerId || !principalId) return [];
  try {
    return (await client.list({ principalId, limit: 100 })).credentials;
  } catch (error) {
    failure(error);
    return []; // the scopes alone tell a good deal
  }
}

function judge(scopes: string[], stored: VaultCredential[]): OpensState {
  const verifier = new GrantVerifier({ issuer: "https://issuer.invalid", jwks: { keys: [] } });
  // A scope that permits two services whose names have nothing to do with it permits them all.
  const universal = verifier.scopesFor("a").filter((scope) => verifier.scopesFor("b").includes(scope));
  const names = new Map<string, { service: string; isStored: boolean }>();
  for (const service of servicesNamed(scopes)) names.set(service.toLowerCase(), { service, isStored: false });
  for (const { service } of stored) names.set(service.toLowerCase(), { service, isStored: true });
  const services = [...names.values()].map((one) => ({ ...one, scopes: verifier.permittingScopes({ scopes }, one.service) }));
  const everything = scopes.filter((scope) => universal.includes(scope.toLowerCase()));
  return {
    everything,
    // Of names that only scopes hold, those count that a scope of their own permits: "read" is no service.
    services: services.filter(({ isStored, scopes: permitting }) => isStored || permitting.some((scope) => !everything.includes(scope))),
  };
}

export function Opens({ opens, onChoose }: { opens: OpensState | undefined; onChoose: (service: string) => void }) {
  if (!opens) return <p class="skeleton skeleton-line" role="status" aria-label="Looking up what it opens" />;
  const { everything, services } = opens;
  return (
    <div class="opens">
      {everything.length > 0 && (
        <p>
          <code>{everything[0]}</code> opens every service.
        </p>
      )}
      {everything.length === 0 && services.every(({ scopes }) => scopes.length === 0) && <p class="is-bad">Its scopes open no service.</p>}
      <ul>
        {services.map(({ service, scopes, isStored }) => (
          <li key={service} class={scopes.length > 0 ? "opens-yes" : "opens-no"}>
            <Icon of={scopes.length > 0 ? CircleCheck : CircleX} />
            <span class="opens-name">{service}</span>
            <span class="opens-why">
              {scopes.length === 0 ? "stored, not permitted" : isStored ? "permitted and stored" : "permitted, nothing stored"}
            </span>
            {scopes.length > 0 && (
              <button type="button" class="link" aria-label={`Choose ${service}`} onClick={() => onChoose(service)}>
                Choose
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
