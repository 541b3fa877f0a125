// A trial exchange, as an agent makes it: what a grant token says, what it opens, and what it gets.

import type { ExchangeCredentialReferenceResponse, VaultError } from "grant-vault";
import { useMemo, useRef, useState } from "preact/hooks";
import { now } from "../model/clock";
import { hold, useExchanged } from "../model/exchanged";
import { checksOf, readGrant } from "../model/grant";
import { type Session, agentClient } from "../model/session";
import { Field } from "../ui/field";
import { GrantChecks } from "./grant-checks";
import { GrantFacts } from "./grant-facts";
import { Opens, useOpens } from "./opens";
import { ReferenceCard } from "./reference-card";
import { EXCHANGE_HELP, Refused } from "./refused";
import { TokenCard } from "./token-card";

const DELIVERIES = { credential: "Credential", reference: "Reference" };
type Delivery = keyof typeof DELIVERIES;

export function Exchange({ session }: { session: Session }) {
  const [pasted, setPasted] = useState("");
  const [service, setService] = useState("");
  const [delivery, setDelivery] = useState<Delivery>("credential");
  const [exchanged, setExchanged] = useExchanged();
  const [referred, setReferred] = useState<ExchangeCredentialReferenceResponse>();
  const [error, setError] = useState<VaultError>();
  const [isBusy, setBusy] = useState(false);
  const token = pasted.replace(/\s/g, "");
  const claims = useMemo(() => readGrant(token), [token]);
  const opens = useOpens(session, claims);
  const result = useRef<HTMLDivElement>(null);

  const principalId = claims?.principalId ?? "";

  const clear = () => {
    setExchanged(undefined);
    setReferred(undefined);
    setError(undefined);
  };

  const paste = (text: string) => {
    setPasted(text);
    clear();
  };

  const exchange = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    clear();
    try {
      if (delivery === "reference") setReferred(await agentClient().exchange(token, { service, delivery }));
      else setExchanged(hold(await agentClient().exchange(token, { service }), principalId));
    } catch (thrown) {
      setError(thrown as VaultError);
    }
    setBusy(false);
    result.current?.focus();
  };

  return (
    <>
      <div class="view-head">
        <h1 tabIndex={-1}>Exchange</h1>
      </div>
      <p class="view-lead">Try a grant token as an agent would: it needs no API key, and gets the one credential that the grant covers, or a reference to it.</p>
      <div class="exchange">
        <section class="panel pad" aria-labelledby="grant-head">
          <h2 id="grant-head">Grant token</h2>
          <Field
            label="Paste it here"
            hint="It is decoded in this page, and sent nowhere until you exchange it"
            problem={token !== "" && !claims ? "This is no grant token: that has three parts of base64url, with dots between them" : undefined}
            aside={pasted !== "" && (
              <button type="button" class="link field-aside" onClick={() => paste("")}>
                Clear
              </button>
            )}
          >
            {(attributes) => <textarea {...attributes} name="grantToken" class="mono grant-token" rows={5} autocomplete="off" autocapitalize="off" spellcheck={false} value={pasted} onInput={({ currentTarget }) => paste(currentTarget.value)} />}
          </Field>
          {claims && <GrantFacts claims={claims} />}
        </section>
        <div class="exchange-side">
          {claims ? (
            <>
              <section class="panel pad" aria-labelledby="checks-head">
                <h2 id="checks-head">Checks</h2>
                <GrantChecks token={token} claims={claims} checks={checksOf(token, claims, now.value, session.account.developerId)} />
              </section>
              <section class="panel pad" aria-labelledby="exchange-head">
                <h2 id="exchange-head">Exchange</h2>
                <Opens opens={opens} onChoose={setService} />
                <form class="exchange-form" onSubmit={exchange} noValidate>
                  <Field label="Service">
                    {(attributes) => <input {...attributes} name="exchange-service" autocomplete="off" autocapitalize="off" spellcheck={false} placeholder="github" value={service} onInput={({ currentTarget }) => setService(currentTarget.value)} />}
                  </Field>
                  <fieldset class="choice">
                    <legend>Delivery</legend>
                    {(Object.keys(DELIVERIES) as Delivery[]).map((one) => (
                      <label key={one}>
                        <input type="radio" name="delivery" checked={delivery === one} onChange={() => setDelivery(one)} />
                        <span>{DELIVERIES[one]}</span>
                      </label>
                    ))}
                  </fieldset>
                  <button type="submit" class="button button-main" disabled={isBusy || service.trim() === ""}>
                    {isBusy ? "Exchanging…" : "Exchange"}
                  </button>
                </form>
                <div ref={result} tabIndex={-1} class="exchange-result">
                  {error && <Refused error={error} help={EXCHANGE_HELP} />}
                  {exchanged && <TokenCard exchanged={exchanged} again="Exchange" />}
                  {referred && <ReferenceCard key={referred.credentialRef} session={session} referred={referred} principalId={principalId} />}
                </div>
              </section>
            </>
          ) : (
            <section class="panel pad exchange-hint">
              <h2>No grant token at hand?</h2>
              <p class="muted">Grants come from the issuer that this vault trusts. The development vault has one of its own:</p>
              <pre class="code" tabIndex={0} aria-label="Command">npm run -s grant -- --principal user_abc123 --scope github:read --expires 1h</pre>
            </section>
          )}
        </div>
      </div>
    </>
  );
}
