// The list in numbers: how many, how they stand, of which services, and what expires in the next 30 days.

import { now } from "../model/clock";
import { DAY, EXPIRY_LABELS, type ExpiryState, expiryState, perDay, shortDate } from "../model/expiry";
import type { Listing } from "../model/listing";

const DAYS = 30;
const STATES: ExpiryState[] = ["expired", "soon", "fine", "none"];
const MOST_SERVICES = 5;

export function Summary({ listing }: { listing: Listing }) {
  const isReady = listing.state.value === "ready";
  const credentials = listing.credentials.value;
  const counts = { expired: 0, soon: 0, fine: 0, none: 0 };
  for (const { tokenExpiresAt } of credentials) counts[expiryState(tokenExpiresAt, now.value)] += 1;
  return (
    <section class={`summary ${isReady ? "" : "is-loading"}`} aria-label="Summary" aria-busy={!isReady}>
      <div class="tile tile-count">
        <h2>{listing.isFiltered.value ? "Passing the filter" : "Stored"}</h2>
        <p class="figure">{isReady ? credentials.length.toLocaleString("en") : "–"}</p>
        <ul class="states">
          {STATES.map((state) => (
            <li key={state}>
              <span class={`dot dot-${state}`} />
              {EXPIRY_LABELS[state]}
              <strong>{isReady ? counts[state].toLocaleString("en") : "–"}</strong>
            </li>
          ))}
        </ul>
      </div>
      <div class="tile tile-services">
        <h2>By service</h2>
        <Services listing={listing} />
      </div>
      <div class="tile tile-chart">
        <h2>Expiring in the next {DAYS} days</h2>
        <Chart counts={perDay(credentials.map(({ tokenExpiresAt }) => tokenExpiresAt), now.value, DAYS)} />
      </div>
    </section>
  );
}

function Services({ listing }: { listing: Listing }) {
  const services = listing.services.value;
  const total = listing.credentials.value.length;
  if (total === 0) return <p class="tile-empty">None yet</p>;
  const shown = services.slice(0, services.length > MOST_SERVICES ? MOST_SERVICES - 1 : MOST_SERVICES);
  const rest = services.slice(shown.length);
  const bars: { service: string; count: number; isRest?: boolean }[] = [...shown, ...(rest.length > 0 ? [{ service: `${rest.length} others`, isRest: true, count: rest.reduce((sum, { count }) => sum + count, 0) }] : [])];
  const most = Math.max(...bars.map(({ count }) => count));
  return (
    <ul class="bars">
      {bars.map(({ service, count, isRest }) => (
        <li key={service}>
          <span class="bars-name clip" title={service}>{service}</span>
          <svg class="bars-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect class="bars-track" width="100" height="6" rx="3" />
            <rect class={isRest ? "bars-rest" : "bars-fill"} width={Math.max(2, (count / most) * 100)} height="6" rx="3" />
          </svg>
          <span class="bars-count">{count.toLocaleString("en")}</span>
        </li>
      ))}
    </ul>
  );
}

const HEIGHT = 72;
const STEP = 10;

/** A bar for each day. The same in words comes with it. */
function Chart({ counts }: { counts: number[] }) {
  const most = Math.max(1, ...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const day = (index: number) => shortDate(now.value + index * DAY);
  const days = counts.flatMap((count, index) => (count > 0 ? [`${day(index)}: ${count}`] : []));
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${counts.length * STEP} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {counts.map((count, index) => {
          const height = count === 0 ? 2 : 4 + (count / most) * (HEIGHT - 4);
          const kind = count === 0 ? "chart-none" : index < 3 ? "chart-soon" : "chart-bar";
          return (
            <g key={index}>
              <rect class={kind} x={index * STEP + 1.5} y={HEIGHT - height} width={STEP - 3} height={height} rx="1" />
              <rect class="chart-target" x={index * STEP} width={STEP} height={HEIGHT}>
                <title>{`${day(index)}: ${count}`}</title>
              </rect>
            </g>
          );
        })}
      </svg>
      <figcaption>
        <span aria-hidden="true">{day(0)}</span>
        <span class="chart-total">{total === 0 ? "Nothing expires" : `${total.toLocaleString("en")} expire`}</span>
        <span aria-hidden="true">{day(counts.length - 1)}</span>
        {days.length > 0 && <span class="visually-hidden">By day: {days.join("; ")}</span>}
      </figcaption>
    </figure>
  );
}
