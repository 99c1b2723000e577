// @ts-check
/** Chip types now: how much there is, who works on it, what is held and idle, who waits for it. */

import { latest, loadSeries } from "../data/series.js";
import { routeTo } from "../route.js";
import { html, useEffect, useState } from "../view.js";
import { age, whole } from "../words/amounts.js";
import { PlainTable } from "./small.js";

const EVERY_MS = 30_000;
const RANGE_S = 600; // of which the last minute that somebody looked at counts

/** What of each chip type worked in the last minute; null where the server keeps no series. @param {boolean} hasRoute @returns {Map<string, import("../data/series.js").Now> | null} */
export function useWork(hasRoute) {
  const [work, setWork] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (!hasRoute) return;
    const ending = new AbortController();
    const load = () => loadSeries({ by: "chip", range: RANGE_S, step: 60, hasRoute }, ending.signal).then(({ lines }) => setWork(latest(lines)), () => ending.signal.aborted || setWork(null));
    void load();
    const timer = setInterval(() => document.hidden || void load(), EVERY_MS);
    return () => (ending.abort(), clearInterval(timer));
  }, [hasRoute]);
  return work;
}

/**
 * One row per chip type. A job that waits counts at the one it likes best.
 * @param {any[]} pools @param {import("../data/jobs.js").JobRow[]} waiting
 * @returns {{chip: string, devices: number, held: number, free: number, waiting: number, oldest: number}[]}
 */
export function byChip(pools, waiting) {
  /** @type {Map<string, any>} */
  const rows = new Map();
  for (const pool of pools) {
    const row = rows.get(pool.chip) ?? { chip: pool.chip, devices: 0, held: 0, free: 0, waiting: 0, oldest: Infinity };
    rows.set(pool.chip, { ...row, devices: row.devices + pool.devices, held: row.held + pool.devices_held, free: row.free + pool.devices_free });
  }
  for (const job of waiting) {
    const row = rows.get(job.chips[0]);
    if (row) Object.assign(row, { waiting: row.waiting + 1, oldest: Math.min(row.oldest, Date.parse(job.submitted_at)) });
  }
  return [...rows.values()].sort((a, b) => a.chip.localeCompare(b.chip));
}

/** @param {{pools: any[], waiting: import("../data/jobs.js").JobRow[], work: ReturnType<typeof useWork>, now: number}} props */
export function ChipTypes({ pools, waiting, work, now }) {
  const of = (/** @type {string} */ chip, /** @type {"busy" | "idle" | "unreported"} */ what) => {
    const found = work?.get(chip)?.[what] ?? null;
    return found === null ? html`<span class="quiet">–</span>` : whole(found);
  };
  return html`<section aria-labelledby="chips-title"><h2 id="chips-title">Chip types</h2>
    <${PlainTable} caption="Chip types" columns=${[["chip"], ["devices", "number"], ["held", "number"], ["free", "number"], ["jobs wait", "number"], ["oldest", "number"], ["busy", "number"], ["idle but held", "number"], ["no report", "number"]]} rows=${byChip(pools, waiting).map((row) => [
      html`<a href=${routeTo(["nodes"], { chip: row.chip })}>${row.chip}</a>`,
      whole(row.devices),
      whole(row.held),
      whole(row.free),
      row.waiting ? html`<a href=${routeTo(["jobs"], { state: "queued", chip: row.chip })}>${whole(row.waiting)}</a>` : "0",
      row.waiting ? age((now - row.oldest) / 1000) : "",
      of(row.chip, "busy"),
      of(row.chip, "idle"),
      of(row.chip, "unreported"),
    ])} />
    <p class="quiet">The last three on average in the last minute. Who reports progress is busy; who never did has no report.</p>
  </section>`;
}
