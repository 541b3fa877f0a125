// How far from its expiry a credential is, and times as people read them.

export type ExpiryState = "expired" | "soon" | "fine" | "none";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** What counts as about to expire. */
const SOON = 3 * DAY;

export const EXPIRY_LABELS: Record<ExpiryState, string> = {
  expired: "Expired",
  soon: "Within 3 days",
  fine: "Fine",
  none: "No expiry",
};

export function expiryState(expiresAt: string | null, now: number): ExpiryState {
  if (expiresAt === null) return "none";
  const left = Date.parse(expiresAt) - now;
  if (left <= 0) return "expired";
  return left <= SOON ? "soon" : "fine";
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
];

/** "in 5 days", "2 hours ago" */
export function relative(moment: string, now: number): string {
  const distance = Date.parse(moment) - now;
  // Days, however many: "in 45 days" says more than "next month".
  const [unit, size] = UNITS.find(([, size]) => Math.abs(distance) >= size) ?? ["second", 1000];
  return Math.abs(distance) < MINUTE ? "just now" : RELATIVE.format(Math.trunc(distance / size), unit);
}

const EXACT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const DATE = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });
const SHORT_DATE = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

/** To the second, in the reader's time zone, and in the vault's words. */
export const exact = (moment: string) => `${EXACT.format(new Date(moment))} (${moment})`;
export const date = (moment: string | number) => DATE.format(new Date(moment));
export const shortDate = (moment: string | number) => SHORT_DATE.format(new Date(moment));

/** How many of the moments fall on each of the next `days` days, counted from now. */
export function perDay(moments: (string | null)[], now: number, days: number): number[] {
  const counts = new Array<number>(days).fill(0);
  for (const moment of moments) {
    const day = moment === null ? -1 : Math.floor((Date.parse(moment) - now) / DAY);
    if (day >= 0 && day < days) counts[day] = (counts[day] ?? 0) + 1;
  }
  return counts;
}

/** A moment as `<input type="datetime-local">` holds it: the reader's own time, to the minute. */
export function toLocalInput(moment: string | number): string {
  const local = new Date(moment);
  local.setMinutes(local.getMinutes() - local.getTimezoneOffset());
  return local.toISOString().slice(0, 16);
}
