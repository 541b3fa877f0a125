// A time: in a few words, and exactly: on hover, when its row has the focus, and for a screen reader always.

import { Ban, CircleCheck, Clock, TriangleAlert } from "lucide";
import { now } from "../model/clock";
import { type ExpiryState, EXPIRY_LABELS, date, exact, expiryState, relative } from "../model/expiry";
import { Icon } from "./icon";

const ICONS = { expired: Ban, soon: TriangleAlert, fine: CircleCheck, none: Clock };

export function Badge({ state, children }: { state: ExpiryState; children?: string }) {
  return (
    <span class={`badge badge-${state}`}>
      <Icon of={ICONS[state]} size={14} />
      {children ?? EXPIRY_LABELS[state]}
    </span>
  );
}

/** When a credential expires, as a badge. */
export function Expiry({ at }: { at: string | null }) {
  const state = expiryState(at, now.value);
  if (at === null) return <Badge state={state} />;
  return (
    <span class="moment moment-expiry">
      <Badge state={state}>{state === "expired" ? `Expired ${relative(at, now.value)}` : `Expires ${relative(at, now.value)}`}</Badge>
      <Exact at={at} />
    </span>
  );
}

/** When something happened. */
export function Moment({ at }: { at: string }) {
  return (
    <span class="moment">
      <time dateTime={at}>{date(at)}</time>
      <Exact at={at} />
    </span>
  );
}

const Exact = ({ at }: { at: string }) => (
  <span class="moment-exact">
    <span class="visually-hidden">: </span>
    {exact(at)}
  </span>
);
