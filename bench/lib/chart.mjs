// The README's picture: how many times the TypeScript Worker's requests per second the vault does. Plain
// SVG in middle tones, readable on a light and on a dark page.

const WIDTH = 760;
const LEFT = 210;
const RIGHT = 64;
const ROW = 28;
const TOP = 76;
const INK = "#768390";
const BAR = "#2f81f7";
const MARK = "#e0823d";

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/**
 * @param {{title: string, median: number, min: number, max: number, tuned?: number}[]} bars
 * @param {string} subtitle
 */
export function chart(bars, subtitle) {
  const longest = Math.ceil(Math.max(2, ...bars.flatMap(({ max, tuned }) => [max, tuned ?? 0])));
  const x = (ratio) => Math.round(LEFT + (ratio / longest) * (WIDTH - LEFT - RIGHT));
  const diamond = (centre, middle) => `<path d="M${centre} ${middle - 6}l6 6l-6 6l-6 -6z" fill="${MARK}"/>`;
  const bottom = TOP + bars.length * ROW;
  const grid = Array.from({ length: longest + 1 }, (_, i) => {
    const strong = i === 1;
    return `<line x1="${x(i)}" x2="${x(i)}" y1="${TOP - 6}" y2="${bottom}" stroke="${INK}"${strong ? ' stroke-width="2"' : ' stroke-opacity="0.35"'}/>
  <text x="${x(i)}" y="${bottom + 18}" text-anchor="middle"${strong ? ' font-weight="600"' : ""}>${i}×</text>`;
  });
  const rows = bars.map(({ title, median, min, max, tuned }, i) => {
    const y = TOP + i * ROW;
    const middle = y + 10;
    return `<text x="${LEFT - 10}" y="${y + 15}" text-anchor="end">${escape(title)}</text>
  <rect x="${x(0)}" y="${y}" width="${x(median) - x(0)}" height="20" rx="2" fill="${BAR}" fill-opacity="0.7"/>
  <path d="M${x(min)} ${middle}H${x(max)}M${x(min)} ${middle - 5}v10M${x(max)} ${middle - 5}v10" stroke="${INK}" stroke-width="2"/>
  ${tuned === undefined ? "" : diamond(x(tuned), middle)}
  <text x="${WIDTH - 8}" y="${y + 15}" text-anchor="end" font-weight="600">${median.toFixed(2)}×</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 28}" width="${WIDTH}" height="${bottom + 28}" role="img" aria-label="Requests per second of the vault as multiples of a TypeScript Worker's" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="${INK}">
  <text x="10" y="20" font-size="16" font-weight="600">This vault's requests per second, a TypeScript Worker's being 1×</text>
  <text x="10" y="40" font-size="12">${escape(subtitle)}</text>
  ${diamond(16, 54)}
  <text x="28" y="58" font-size="12">the TypeScript Worker tuned for speed alone, its metadata unencrypted</text>
  ${grid.join("\n  ")}
  ${rows.join("\n  ")}
</svg>
`;
}
