// Tables for the terminal.

import { bold, dim } from "../../scripts/lib/run.mjs";
import { BASE, TUNED } from "./sides.mjs";

/** What is to be reached at 16 connections, as ratios to the TypeScript Worker's requests per second. */
export const TARGETS = {
  "exchange-seen": 1.5,
  "exchange-new": 1.2,
  "exchange-new-es256": 1.2,
  get: 1.2,
  "store-new": 1.2,
  "store-again": 1.2,
  "list-1000": 3,
};

export const number = (value, digits = 0) =>
  !Number.isFinite(value) ? "" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
export const ratio = (one) => (Number.isFinite(one?.median) ? `${one.median.toFixed(2)}× (${one.min.toFixed(2)}–${one.max.toFixed(2)})` : "");
export const operations = (counts) => Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
const title = (name) => name[0].toUpperCase() + name.slice(1);

/** Rows of cells in columns; the first column is flush left. */
export function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => String(cell ?? "")));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  cells.forEach((row, i) => {
    const line = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ");
    console.log(i === 0 ? dim(line) : line);
  });
}

/** One case, every side. */
export function printCase(one, summary, titles, base) {
  console.log(`\n${bold(title(one.title))}`);
  table(
    ["", `requests/s to ${titles[base]}'s`, "CPU time to its", "requests/s", "p50 ms", "p99 ms", "CPU µs a call", "KV operations a call"],
    Object.entries(summary).map(([name, side]) => [
      titles[name], ratio(side.ratio), ratio(side.ratioCpu), number(side.rate.median), number(side.p50, 2), number(side.p99, 2), number(side.cpu * 1000), operations(side.operations),
    ]),
  );
  if (summary.against) console.log(`The other vault to this one: ${ratio(summary.against.toVault)} requests/s, ${ratio(summary.against.toVaultCpu)} CPU time`);
}

/** The vault beside the TypeScript Worker: every case at one number of connections. */
export function printOverview(cases, results, connections) {
  console.log(`\n${bold(`The vault to the TypeScript Worker, ${connections} connection${connections === "1" ? "" : "s"}`)}`);
  table(
    ["", "requests/s", "to reach", "p99", "to TypeScript, tuned", "of the floor"],
    cases.filter(({ name }) => results[name]?.[BASE]).map(({ name, title: what }) => {
      const { vault, [BASE]: base, [TUNED]: tuned, floor } = results[name];
      const target = connections === "16" ? TARGETS[name] : undefined;
      return [
        what,
        ratio(vault.ratio),
        target ? `${target}× ${vault.ratio.median >= target ? "✓" : "✗"}` : "",
        base ? `${vault.ratioP99.median.toFixed(2)}×` : "",
        tuned ? `${(vault.ratio.median / tuned.ratio.median).toFixed(2)}×` : "",
        floor ? `${(vault.ratio.median / floor.ratio.median).toFixed(2)}×` : "",
      ];
    }),
  );
}

export function printOnce({ hello, scale, sizes, starts, instantiation, memory }, titles) {
  console.log(`\n${bold("Hello")}`);
  table(["", "requests/s to JavaScript's", "requests/s", "CPU µs a call"], Object.entries(hello).map(([name, { ratio: toJs, rate, cpu }]) => [titles[name], ratio(toJs), number(rate.median), number(cpu * 1000)]));

  console.log(`\n${bold("The same exchange, so many credentials stored: requests/s")}`);
  const counts = Object.keys(Object.values(scale)[0]);
  table(["", ...counts.flatMap((count) => [number(Number(count)), `to ${counts[0]}`])], Object.entries(scale).map(([name, bySize]) => [titles[name], ...counts.flatMap((count) => [number(bySize[count].rate), ratio(bySize[count].toSmallest)])]));

  console.log(`\n${bold("Size in kB")}`);
  table(["", "file", "raw", "gzipped"], Object.entries(sizes).flatMap(([name, files]) => Object.entries(files).map(([file, { raw, gzipped }]) => [titles[name], file, number(raw / 1000, 1), number(gzipped / 1000, 1)])));

  console.log(`\n${bold("Start in ms")}`);
  table(["", "workerd listens", "then first answer", "together"], Object.entries(starts).map(([name, { listening, answer, total }]) => [titles[name], number(listening.median, 1), number(answer.median, 1), `${number(total.median, 1)} (${number(total.min, 1)}–${number(total.max, 1)})`]));
  console.log(`One more instance of the vault's module: ${number(instantiation.median, 2)} ms (${number(instantiation.min, 2)}–${number(instantiation.max, 2)})`);

  console.log(`\n${bold("Memory of workerd with its KV stub, MB")}`);
  table(["", "before", "after", "exchanges"], Object.entries(memory).map(([name, { before, after, requests }]) => [titles[name], number(before), number(after), number(requests)]));
}
