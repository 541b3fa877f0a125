// A credential as it is typed in, before it is stored: what is wrong with it, and what is sent of it.

import type { Metadata, StoreCredentialParams, VaultCredential } from "grant-vault";
import { type StoreField, jsonProblem, objectionTo } from "./check";
import { toLocalInput } from "./expiry";

export interface Draft {
  principalId: string;
  service: string;
  credentialType: string;
  accessToken: string;
  refreshToken: string;
  /** In the reader's own time, as `<input type="datetime-local">` gives it; empty for never. */
  tokenExpiresAt: string;
  metadata: string;
}

export type Problems = Partial<Record<StoreField, string>>;

export const FIELDS: StoreField[] = ["principalId", "service", "accessToken", "credentialType", "tokenExpiresAt", "refreshToken", "metadata"];
/** Fields that are left out when they are empty. */
const OPTIONAL: StoreField[] = ["credentialType", "refreshToken", "tokenExpiresAt", "metadata"];

/** A draft that replaces a credential: all but its tokens, which nobody lists. */
export function draftOf(credential?: VaultCredential): Draft {
  const metadata = credential && Object.keys(credential.metadata).length > 0 ? JSON.stringify(credential.metadata, null, 2) : "";
  return {
    principalId: credential?.principalId ?? "",
    service: credential?.service ?? "",
    credentialType: credential?.credentialType ?? "oauth2",
    accessToken: "",
    refreshToken: "",
    tokenExpiresAt: credential?.tokenExpiresAt ? toLocalInput(credential.tokenExpiresAt) : "",
    metadata,
  };
}

/** What is wrong with one field; undefined for nothing. */
export async function problemWith(field: StoreField, draft: Draft): Promise<string | undefined> {
  const value = draft[field];
  if (OPTIONAL.includes(field) && value.trim() === "") return undefined;
  if (field === "metadata") return metadataProblem(value) ?? (await objectionTo(field, value));
  return objectionTo(field, JSON.stringify(field === "tokenExpiresAt" ? new Date(value).toISOString() : value));
}

/** What is wrong with each field. */
export async function problemsWith(draft: Draft): Promise<Problems> {
  const found = await Promise.all(FIELDS.map(async (field) => [field, await problemWith(field, draft)] as const));
  return Object.fromEntries(found.filter(([, problem]) => problem !== undefined));
}

/** What is sent of a draft without problems. */
export function paramsOf(draft: Draft): StoreCredentialParams {
  const { principalId, service, accessToken } = draft;
  return {
    principalId,
    service,
    accessToken,
    credentialType: draft.credentialType.trim() || null,
    refreshToken: draft.refreshToken || null,
    tokenExpiresAt: draft.tokenExpiresAt === "" ? null : new Date(draft.tokenExpiresAt),
    metadata: draft.metadata.trim() === "" ? null : (JSON.parse(draft.metadata) as Metadata),
  };
}

function metadataProblem(text: string): string | undefined {
  const number = inexactNumber(text);
  return jsonProblem(text) ?? (number && `metadata has a number that a browser can't hold exactly, ${number}: write it as a text`);
}

/** A whole number in a JSON text that would be another after JavaScript has read it. */
function inexactNumber(text: string): string | undefined {
  let found: string | undefined;
  const look = (_: string, value: unknown, context?: { source?: string }) => {
    if (typeof value === "number" && /^-?\d+$/.test(context?.source ?? "") && !Number.isSafeInteger(value)) found = context?.source;
    return value;
  };
  try {
    JSON.parse(text, look as (key: string, value: unknown) => unknown);
  } catch {
    // For the check of its form to tell.
  }
  return found;
}
