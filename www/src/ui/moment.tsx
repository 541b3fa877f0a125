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

/** When a credential expires, as a badge; in a column of its own it need not say what happens then. */
export function Expiry({ at, isInColumn = false }: { at: string | null; isInColumn?: boolean }) {
  const state = expiryState(at, now.value);
  if (at === null) return <Badge state={state} />;
  const when = relative(at, now.value);
  const text = state === "expired" ? `Expired ${when}` : isInColumn ? when.charAt(0).toUpperCase() + when.slice(1) : `Expires ${when}`;
  return (
    <span class="moment moment-expiry">
      <Badge state={state}>{text}</Badge>
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
