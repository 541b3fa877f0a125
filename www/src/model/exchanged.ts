// What came of an exchange, or of resolving a reference: the answer, and its token, which is held apart.

import type { ExchangeCredentialResponse } from "grant-vault";
import { useEffect, useState } from "preact/hooks";
import { HeldSecret } from "./held-secret";

export interface Exchanged {
  secret: HeldSecret;
  answer: Omit<ExchangeCredentialResponse, "accessToken">;
  principalId: string;
}

export function hold({ accessToken, ...answer }: ExchangeCredentialResponse, principalId: string): Exchanged {
  return { secret: new HeldSecret(accessToken), answer, principalId };
}

/** The one that a view holds: it is forgotten with the next one, and with the view. */
export function useExchanged() {
  const state = useState<Exchanged>();
  const [exchanged] = state;
  useEffect(() => () => exchanged?.secret.forget(), [exchanged]);
  return state;
}
