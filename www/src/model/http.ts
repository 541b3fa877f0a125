// The three calls of the contract that are not the package client's: state, sign-up, and whose key it is.

import { VaultError } from "grant-vault";

export interface Health {
  status: "ok" | "misconfigured";
  version: string;
  signup?: "open" | "closed";
  problems?: { setting: string; message: string }[];
}

export interface Account {
  developerId: string;
  name: string;
  email: string | null;
  mode: "live" | "sandbox";
  createdAt: string;
}

export interface SignUp {
  name: string;
  email?: string;
  mode: "live" | "sandbox";
}

/** The vault's state; that of a misconfigured vault is an answer too. */
export async function health(): Promise<Health> {
  const response = await request("GET", "/health", {});
  const body = await jsonOf(response);
  if (typeof body.status !== "string") throw errorOf(response, body);
  return body as unknown as Health;
}

/** Whose key it is. */
export const me = (apiKey: string) => call<Account>("GET", "/v1/me", { apiKey });

/** A new account, with the key that is shown this once. */
export const signUp = (wanted: SignUp) => call<Account & { apiKey: string }>("POST", "/v1/signup", { json: wanted });

interface Options {
  apiKey?: string;
  json?: object;
}

async function call<T>(method: string, path: string, options: Options): Promise<T> {
  const response = await request(method, path, options);
  const body = await jsonOf(response);
  if (!response.ok) throw errorOf(response, body);
  return body as T;
}

async function request(method: string, path: string, { apiKey, json }: Options): Promise<Response> {
  const headers = { ...(apiKey && { Authorization: `Bearer ${apiKey}` }), ...(json && { "Content-Type": "application/json" }) };
  try {
    return await fetch(path, { method, headers, body: json && JSON.stringify(json), redirect: "error" });
  } catch (cause) {
    throw new VaultError("The vault could not be reached", { code: "NETWORK_ERROR", cause });
  }
}

async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json().catch(() => null)) ?? {};
}

function errorOf({ status }: Response, { message, code, requestId }: Record<string, unknown>): VaultError {
  return new VaultError(typeof message === "string" ? message : `The vault answered with status ${status}`, {
    code: typeof code === "string" ? code : "UNEXPECTED_ANSWER",
    status,
    requestId: typeof requestId === "string" ? requestId : undefined,
  });
}
