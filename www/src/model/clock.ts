// The time, as far as what is shown depends on it.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

export const now = signal(Date.now());

setInterval(() => {
  now.value = Date.now();
}, 15_000);

const secondsUntil = (moment: string) => Math.max(0, Math.ceil((Date.parse(moment) - Date.now()) / 1000));

/** How many seconds are left until a moment; 0 once it is over. */
export function useSecondsUntil(moment: string): number {
  const [seconds, setSeconds] = useState(secondsUntil(moment));
  useEffect(() => {
    setSeconds(secondsUntil(moment));
    const timer = setInterval(() => setSeconds(secondsUntil(moment)), 1000);
    return () => clearInterval(timer);
  }, [moment]);
  return seconds;
}
