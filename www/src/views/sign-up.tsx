// A new account, and its key, which is shown this once.

import { useState } from "preact/hooks";
import { fieldNamed, objectionToSignUp } from "../model/check";
import { type Account, signUp } from "../model/http";
import { signIn } from "../model/session";
import { CopyButton, copyText } from "../ui/copy-button";
import { Field, Problem } from "../ui/field";

const FIELDS = ["name", "email", "mode"] as const;
type Mode = "live" | "sandbox";

export function SignUp({ onBack }: { onBack: () => void }) {
  const [made, setMade] = useState<Account & { apiKey: string }>();
  return made ? <NewKey account={made} /> : <Form onBack={onBack} onMade={setMade} />;
}

function Form({ onBack, onMade }: { onBack: () => void; onMade: (account: Account & { apiKey: string }) => void }) {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [mode, setMode] = useState<Mode>("live");
  const [problem, setProblem] = useState<{ message: string; requestId?: string }>();
  const [isBusy, setBusy] = useState(false);
  const field = problem && fieldNamed(problem.message, FIELDS);
  const at = (one: (typeof FIELDS)[number]) => (field === one ? problem?.message : undefined);
  const submit = async (event: Event) => {
    event.preventDefault();
    const wanted = { name: name.trim(), ...(email.trim() && { email: email.trim() }), mode };
    setBusy(true);
    try {
      const message = await objectionToSignUp(wanted);
      if (message === undefined) return onMade(await signUp(wanted));
      setProblem({ message });
    } catch (error) {
      setProblem(error as Error);
    }
    setBusy(false);
  };
  return (
    <>
      <h1>Sign up</h1>
      <p class="door-lead">A developer account of this vault, with an API key of its own.</p>
      {problem && !field && <Problem error={problem} />}
      <form onSubmit={submit} noValidate>
        <Field label="Name" problem={at("name")}>
          {(attributes) => <input {...attributes} name="name" autocomplete="organization" value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />}
        </Field>
        <Field label="E-mail" optional problem={at("email")}>
          {(attributes) => <input {...attributes} name="email" type="email" autocomplete="email" value={email} onInput={({ currentTarget }) => setEmail(currentTarget.value)} />}
        </Field>
        <fieldset class="choice">
          <legend>Mode</legend>
          {(["live", "sandbox"] as const).map((one) => (
            <label key={one}>
              <input type="radio" name="mode" checked={mode === one} onChange={() => setMode(one)} />
              <span>{one === "live" ? "Live" : "Sandbox"}</span>
            </label>
          ))}
        </fieldset>
        <button type="submit" class="button button-main button-wide" disabled={isBusy}>
          {isBusy ? "Signing up…" : "Sign up"}
        </button>
      </form>
      <p class="door-other">
        Have a key?{" "}
        <button type="button" class="link" onClick={onBack}>
          Sign in
        </button>
      </p>
    </>
  );
}

function NewKey({ account }: { account: Account & { apiKey: string } }) {
  const [problem, setProblem] = useState<{ message: string }>();
  const enter = () => signIn(account.apiKey).catch(setProblem);
  return (
    <>
      <h1>Your API key</h1>
      <p class="door-lead">
        Of <strong>{account.name}</strong>, <code>{account.developerId}</code>. Keep it in a safe place now: the vault holds only its hash and can't show it again.
      </p>
      {problem && <Problem error={problem} />}
      <div class="shown-once">
        <code class="shown-once-text">{account.apiKey}</code>
        <CopyButton what="the API key" label="Copy" copy={copyText(account.apiKey)} />
      </div>
      <button type="button" class="button button-main button-wide" onClick={enter}>
        I have kept it: open the console
      </button>
    </>
  );
}
