// What is asked. A case makes requests from a number, the server's developers and tokens.

import { credential, grantTokens, LISTS, principal, PRINCIPALS, SERVICE } from "./world.mjs";

const MAIN = { developerId: "dev_main" };
const EXCHANGE = "/v1/vault/credentials/exchange";
const CREDENTIALS = "/v1/vault/credentials";

const exchange = (tokens, i) => ["POST", EXCHANGE, { bearer: tokens[i % tokens.length], json: { service: SERVICE } }];

let lastNew = 0;

/**
 * name; what it is; tokens, if it takes some: for all rounds or new ones for each (`fresh`); `ask` makes
 * request i; `unique` when no request may be sent twice.
 */
export const CASES = [
  { name: "exchange-seen", title: "exchange, token seen before", tokens: "RS256", ask: (_, i, tokens) => exchange(tokens, i) },
  { name: "exchange-new", title: "exchange, new token (RS256)", tokens: "RS256", fresh: true, ask: (_, i, tokens) => exchange(tokens, i) },
  { name: "exchange-new-es256", title: "exchange, new token (ES256)", tokens: "ES256", fresh: true, ask: (_, i, tokens) => exchange(tokens, i) },
  { name: "get", title: "get", ask: ({ main }, i) => ["GET", `${CREDENTIALS}/${main.ids[i % main.ids.length]}`, { bearer: main.apiKey }] },
  {
    name: "store-new",
    title: "store, new",
    unique: true,
    ask: (developers) => ["POST", CREDENTIALS, { bearer: developers.new.apiKey, json: credential(`new_${++lastNew}`) }],
  },
  {
    name: "store-again",
    title: "store, again",
    ask: ({ main }, i) => ["POST", CREDENTIALS, { bearer: main.apiKey, json: credential(principal(i % PRINCIPALS)) }],
  },
  ...LISTS.map((length) => ({
    name: `list-${length}`,
    title: `list of ${length.toLocaleString("en")}`,
    ask: (developers) => ["GET", CREDENTIALS, { bearer: developers[length].apiKey }],
  })),
];

/** Tokens for one round of a case, or for all of them. */
export const tokensFor = (one, count) => (one.tokens ? grantTokens(one.tokens, one.fresh ? count : PRINCIPALS, MAIN) : undefined);
