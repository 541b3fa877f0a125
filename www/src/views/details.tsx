// All of one credential, but its tokens: those no call lists.

import { Pencil, Trash2 } from "lucide";
import { GrantVerifier, type VaultCredential, init } from "grant-vault";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { now } from "../model/clock";
import { exact, relative } from "../model/expiry";
import { CopyButton, copyText } from "../ui/copy-button";
import { Icon } from "../ui/icon";
import { Expiry } from "../ui/moment";
import { Sheet } from "../ui/sheet";

interface DetailsProps {
  credential: VaultCredential;
  onClose: () => void;
  onReplace: () => void;
  onDelete: () => void;
}

export function Details({ credential, onClose, onReplace, onDelete }: DetailsProps) {
  const { id, service, principalId, credentialType, tokenExpiresAt, metadata, createdAt, updatedAt } = credential;
  const scopes = useScopesFor(service);
  const isEmpty = Object.keys(metadata).length === 0;
  return (
    <Sheet title={service} lead={<p class="sheet-lead mono">{principalId}</p>} onClose={onClose}>
      <div class="sheet-body">
        <dl class="facts">
          <Fact name="Expiry">
            <Expiry at={tokenExpiresAt} />
            {tokenExpiresAt && <span class="fact-exact">{exact(tokenExpiresAt)}</span>}
          </Fact>
          <Fact name="Principal" copied={principalId}>
            <code>{principalId}</code>
          </Fact>
          <Fact name="Service" copied={service}>
            <code>{service}</code>
          </Fact>
          <Fact name="Type">{credentialType}</Fact>
          <Fact name="Id" copied={id}>
            <code>{id}</code>
          </Fact>
          <Fact name="Created">
            {relative(createdAt, now.value)} <span class="fact-exact">{exact(createdAt)}</span>
          </Fact>
          <Fact name="Updated">
            {relative(updatedAt, now.value)} <span class="fact-exact">{exact(updatedAt)}</span>
          </Fact>
          <Fact name="Tokens">
            <span class="muted">Sealed. No call lists them; only an exchange hands out the access token.</span>
          </Fact>
        </dl>
        <h3>Metadata</h3>
        {isEmpty ? <p class="muted">None</p> : <pre class="code" tabIndex={0} aria-label="Metadata">{JSON.stringify(metadata, null, 2)}</pre>}
        <h3>Scopes that open it</h3>
        <p class="muted">Any one of them, in a grant for this principal.</p>
        <ul class="chips">
          {scopes.map((scope) => (
            <li key={scope}>
              <code>{scope}</code>
            </li>
          ))}
        </ul>
      </div>
      <footer class="sheet-foot">
        <button type="button" class="button button-danger-quiet" onClick={onDelete}>
          <Icon of={Trash2} />
          Delete
        </button>
        <button type="button" class="button button-main" onClick={onReplace}>
          <Icon of={Pencil} />
          Replace
        </button>
      </footer>
    </Sheet>
  );
}

function Fact({ name, copied, children }: { name: string; copied?: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>
        <span class="fact-value">{children}</span>
        {copied !== undefined && <CopyButton what={`the ${name.toLowerCase()}`} copy={copyText(copied)} />}
      </dd>
    </div>
  );
}

/** The package knows the scopes; which keys sign the grants doesn't matter for that. */
function useScopesFor(service: string): string[] {
  const [scopes, setScopes] = useState<string[]>([]);
  useEffect(() => {
    const verifier = new GrantVerifier({ issuer: "https://issuer.invalid", jwks: { keys: [] } });
    init().then(() => setScopes(verifier.scopesFor(service)), () => setScopes([]));
  }, [service]);
  return scopes;
}
