// The way in: with an API key, or, where the vault lets anybody sign up, with a new one.

import { KeyRound } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { type Health, health } from "../model/http";
import { farewell, signIn } from "../model/session";
import { Field, Problem } from "../ui/field";
import { Icon } from "../ui/icon";
import { Logo } from "../ui/logo";
import { SecretInput } from "../ui/secret-input";
import { SignUp } from "./sign-up";

export function SignIn() {
  const [state, setState] = useState<Health | { failed: string }>();
  const [isSigningUp, setSigningUp] = useState(false);
  useEffect(() => {
    health().then(setState, (error: Error) => setState({ failed: error.message }));
  }, []);
  const known = state && "status" in state ? state : undefined;
  return (
    <div class="door">
      <aside class="door-art">
        <Logo />
        <Wheel />
        <p class="door-line">Tokens stay here. Agents borrow them, one grant at a time.</p>
      </aside>
      <main class="door-main" id="content">
        <div class="door-form">
          {state && "failed" in state && <Problem error={{ message: `${state.failed}. Is it running?` }} />}
          {known?.status === "misconfigured" && <Misconfigured problems={known.problems ?? []} />}
          {isSigningUp ? <SignUp onBack={() => setSigningUp(false)} /> : <WithKey />}
          {known?.signup === "open" && !isSigningUp && (
            <p class="door-other">
              No key yet?{" "}
              <button type="button" class="link" onClick={() => setSigningUp(true)}>
                Sign up for one
              </button>
            </p>
          )}
          {known?.signup === "closed" && <p class="door-other">No key yet? Sign-up is closed here: ask whoever runs this vault.</p>}
        </div>
        {known && <p class="door-version">grant-vault {known.version}</p>}
      </main>
    </div>
  );
}

function WithKey() {
  const [apiKey, setApiKey] = useState("");
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const key = apiKey.trim();
    if (key === "") return setProblem("Paste your API key");
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn(key);
    } catch (error) {
      setProblem(reason(error as Error & { code?: string }));
      setBusy(false);
      document.querySelector<HTMLElement>(".door-form textarea")?.focus();
    }
  };
  return (
    <>
      <h1>Sign in</h1>
      <p class="door-lead">With a developer's API key. It stays in this tab, and is gone when you sign out or close it.</p>
      {farewell.value && <p class="notice" role="status">{farewell.value}</p>}
      <form onSubmit={submit} noValidate>
        <Field label="API key" problem={problem} hint="Starts with gx_live_ or gx_test_">
          {(attributes) => <SecretInput {...attributes} name="apiKey" value={apiKey} onInput={setApiKey} />}
        </Field>
        <button type="submit" class="button button-main button-wide" disabled={isBusy}>
          <Icon of={KeyRound} />
          {isBusy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </>
  );
}

function reason({ message, code }: Error & { code?: string }): string {
  if (code === "UNAUTHORIZED") return "No developer of this vault has that key. It may have been rotated";
  // What can't travel in a header can't be a key: the package's own words name its option.
  return message.replace(/^apiKey /, "An API key ");
}

function Misconfigured({ problems }: { problems: { setting: string; message: string }[] }) {
  return (
    <div class="problem" role="alert">
      <p>This vault is misconfigured and answers no call until that is put right:</p>
      <ul>
        {problems.map(({ setting, message }) => (
          <li key={setting}>
            <code>{setting}</code> {message}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The door's wheel: the mark, large. */
function Wheel() {
  const ticks = Array.from({ length: 60 }, (_, index) => index * 6);
  return (
    <svg class="wheel" viewBox="-200 -200 400 400" aria-hidden="true">
      <g class="wheel-ticks">
        {ticks.map((angle) => (
          <line key={angle} x1="0" y1={angle % 30 === 0 ? -184 : -178} x2="0" y2="-166" transform={`rotate(${angle})`} />
        ))}
      </g>
      <circle class="wheel-line" r="150" />
      <circle class="wheel-line" r="118" stroke-dasharray="2 8" />
      <path class="wheel-ring" d="M78 -44A90 90 0 1 0 90 0" />
      <path class="wheel-ring" d="M0 0H90" />
      <circle class="wheel-hub" r="28" />
    </svg>
  );
}
