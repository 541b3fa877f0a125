// Whether the vault would take a value. The vault itself says so: the same core, as WebAssembly in this
// page, over a namespace in memory that is thrown away. So the limits and the words are the server's own.

import { MemoryKV, Vault } from "grant-vault";

/** A vault that nobody else has, and one account in it. */
async function scratchVault() {
  const vault = new Vault({
    kv: new MemoryKV(),
    encryptionKey: crypto.getRandomValues(new Uint8Array(32)),
    grants: { issuer: "https://issuer.invalid", jwksUrl: "https://issuer.invalid/jwks" }, // never fetched: nothing is exchanged
    signup: "open",
    log: () => {},
  });
  const send = async (path: string, body: string, headers = {}) => {
    const url = `https://vault.invalid${path}`;
    const response = await vault.fetch(new Request(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body }));
    return { isGood: response.ok, body: await response.json() };
  };
  return { send };
}

export type StoreField = "principalId" | "service" | "credentialType" | "accessToken" | "refreshToken" | "tokenExpiresAt" | "metadata";

/** What the vault has against one field of a store, as JSON text; undefined for nothing. */
export async function objectionTo(field: StoreField, json: string): Promise<string | undefined> {
  const { send } = await scratchVault();
  const { body: account } = await send("/v1/signup", '{"name":"check"}');
  const fields = { principalId: '"principal"', service: '"service"', accessToken: '"token"', [field]: json };
  const text = `{${Object.entries(fields).map(([name, value]) => `"${name}":${value}`).join(",")}}`;
  const { isGood, body } = await send("/v1/vault/credentials", text, { Authorization: `Bearer ${account.apiKey}` });
  return isGood ? undefined : body.message;
}

/** What the vault has against a sign-up. */
export async function objectionToSignUp(wanted: object): Promise<string | undefined> {
  const { send } = await scratchVault();
  const { isGood, body } = await send("/v1/signup", JSON.stringify(wanted));
  return isGood ? undefined : body.message;
}

/** The field that a message of the vault's is about: the one that it begins with. */
export function fieldNamed<Field extends string>(message: string, fields: readonly Field[]): Field | undefined {
  return fields.find((field) => message.startsWith(`${field} `));
}

/** What is wrong with a text that should be JSON, with the line it is on; undefined for nothing. */
export function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const position = /position (\d+)/.exec(String(error))?.[1];
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split("\n").length;
    return `metadata is not JSON${line === undefined ? "" : ` (line ${line})`}: ${plain(String((error as Error).message))}`;
  }
}

/** A parser's message without its position and its quotation of the text. */
const plain = (message: string) => message.replace(/,? ?\.{0,3}".*" is not valid JSON$/s, "").replace(/ in JSON at position.*$/s, "");
