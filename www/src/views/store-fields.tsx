// The fields of the form that stores a credential.

import { useId } from "preact/hooks";
import type { StoreField } from "../model/check";
import type { Draft, Problems } from "../model/draft";
import { DAY, HOUR, toLocalInput } from "../model/expiry";
import { Field } from "../ui/field";
import { SecretInput } from "../ui/secret-input";

export interface FieldsProps {
  draft: Draft;
  problems: Problems;
  change: (field: StoreField, value: string) => void;
  check: (field: StoreField) => void;
}

const TYPES = ["oauth2", "api_key", "basic", "personal_access_token", "service_account"];
const SPANS: [string, number][] = [["1 hour", HOUR], ["30 days", 30 * DAY], ["90 days", 90 * DAY]];

export function WhichCredential({ draft, problems, isFixed, change, check }: FieldsProps & { isFixed: boolean }) {
  return (
    <div class="field-pair">
      <Field label="Principal" problem={problems.principalId} hint="Whose token it is">
        {(attributes) => (
          <input {...attributes} name="principalId" readOnly={isFixed} placeholder="user_abc123" autocomplete="off" autocapitalize="off" spellcheck={false} value={draft.principalId} onInput={({ currentTarget }) => change("principalId", currentTarget.value)} onBlur={() => check("principalId")} />
        )}
      </Field>
      <Field label="Service" problem={problems.service} hint="What the token is for">
        {(attributes) => (
          <input {...attributes} name="service" readOnly={isFixed} placeholder="github" autocomplete="off" autocapitalize="off" spellcheck={false} value={draft.service} onInput={({ currentTarget }) => change("service", currentTarget.value)} onBlur={() => check("service")} />
        )}
      </Field>
    </div>
  );
}

export function Tokens({ draft, problems, change, check }: FieldsProps) {
  return (
    <>
      <Field label="Access token" problem={problems.accessToken} hint="What an exchange hands out">
        {(attributes) => <SecretInput {...attributes} name="accessToken" value={draft.accessToken} onInput={(value) => change("accessToken", value)} onBlur={() => check("accessToken")} />}
      </Field>
      <Field label="Refresh token" optional problem={problems.refreshToken} hint="Kept beside it, and never handed out">
        {(attributes) => <SecretInput {...attributes} name="refreshToken" rows={1} value={draft.refreshToken} onInput={(value) => change("refreshToken", value)} onBlur={() => check("refreshToken")} />}
      </Field>
    </>
  );
}

export function AboutToken({ draft, problems, change, check }: FieldsProps) {
  const types = useId();
  return (
    <>
      <div class="field-pair">
        <Field label="Type" optional problem={problems.credentialType} hint="oauth2, if left empty">
          {(attributes) => (
            <input {...attributes} name="credentialType" list={types} autocomplete="off" autocapitalize="off" spellcheck={false} value={draft.credentialType} onInput={({ currentTarget }) => change("credentialType", currentTarget.value)} onBlur={() => check("credentialType")} />
          )}
        </Field>
        <Field label="Expires" optional problem={problems.tokenExpiresAt} hint={draft.tokenExpiresAt === "" ? "Your local time" : new Date(draft.tokenExpiresAt).toISOString()}>
          {(attributes) => (
            <input {...attributes} name="tokenExpiresAt" type="datetime-local" value={draft.tokenExpiresAt} onInput={({ currentTarget }) => change("tokenExpiresAt", currentTarget.value)} onBlur={() => check("tokenExpiresAt")} />
          )}
        </Field>
      </div>
      <div class="spans" role="group" aria-label="Expires in">
        <span aria-hidden="true">Expires in</span>
        {SPANS.map(([name, span]) => (
          <button key={name} type="button" class="chip-button" onClick={() => change("tokenExpiresAt", toLocalInput(Date.now() + span))}>
            {name}
          </button>
        ))}
        <button type="button" class="chip-button" onClick={() => change("tokenExpiresAt", "")}>
          never
        </button>
      </div>
      <datalist id={types}>
        {TYPES.map((type) => (
          <option key={type} value={type} />
        ))}
      </datalist>
      <MetadataField draft={draft} problems={problems} change={change} check={check} />
    </>
  );
}

function MetadataField({ draft, problems, change, check }: FieldsProps) {
  const tidy = () => {
    try {
      change("metadata", JSON.stringify(JSON.parse(draft.metadata), null, 2));
    } catch {
      check("metadata");
    }
  };
  const button = draft.metadata.trim() !== "" && (
    <button type="button" class="link field-aside" onClick={tidy}>
      Tidy
    </button>
  );
  return (
    <Field label="Metadata" optional problem={problems.metadata} hint="A JSON object, sealed too, that comes along with lists and exchanges" aside={button}>
      {(attributes) => (
        <textarea {...attributes} name="metadata" class="mono" rows={4} placeholder={'{"scope": "repo,user"}'} autocomplete="off" autocapitalize="off" spellcheck={false} value={draft.metadata} onInput={({ currentTarget }) => change("metadata", currentTarget.value)} onBlur={() => check("metadata")} />
      )}
    </Field>
  );
}
