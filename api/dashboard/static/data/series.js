// @ts-check
/**
 * Utilisation over time, in the one form that the charts take. It comes from the API's series where it has one; else
 * from what this page has seen itself since it was opened: never from anything else.
 */

import { read } from "./api.js";

/**
 * @typedef {{name: string, capacity: (number | null)[], allocated: (number | null)[], busy: (number | null)[],
 *   idle: (number | null)[], unreported: (number | null)[]}} Line figures in devices; null where there is none
 * @typedef {{times: number[], lines: Line[], origin: "api" | "page"}} Series
 */

export const RANGES = /** @type {[string, string][]} */ ([["3600", "1 hour"], ["21600", "6 hours"], ["86400", "1 day"], ["604800", "7 days"], ["2592000", "30 days"]]);
export const STEPS = /** @type {[string, string][]} */ ([["", "fitting"], ["60", "1 min"], ["300", "5 min"], ["3600", "1 h"], ["86400", "1 d"]]);
const USUAL_RANGE_S = 86_400;
const MOST_POINTS = 360;
const STEP_SIZES = [60, 300, 900, 3600, 21_600, 86_400];
const MOST_SAMPLES = 720;

/** @type {{at: number, use: any}[]} */
const samples = [];

/** A step of which not too many fill the range. @param {number} range in s @param {number} wanted in s, 0 for the fitting one @returns {number} */
export function fittingStep(range, wanted) {
  const least = STEP_SIZES.find((one) => range / one <= MOST_POINTS) ?? STEP_SIZES.at(-1) ?? 60;
  return Math.max(wanted, least);
}

/**
 * The shortest range that shows all that was measured, the usual one at most: of a young server a day would be empty.
 * @param {Series} series over the usual range @param {number} now in ms
 * @returns {{range: number, since: number | null}} in s; `since` when it began to measure (ms), null where that is longer ago
 */
export function fittingRange({ times, lines }, now) {
  const first = times[times.findIndex((_, index) => lines.some((line) => line.allocated[index] !== null))];
  if (first === undefined) return { range: Number(RANGES[0][0]), since: null };
  const range = RANGES.map(([one]) => Number(one)).find((one) => one < USUAL_RANGE_S && 1000 * one >= now - first);
  return range ? { range, since: first } : { range: USUAL_RANGE_S, since: null };
}

/** Remember what is used now. @param {any} use an answer of `v1/utilisation` @param {number} at in ms */
export function keepSample(use, at) {
  if (samples.at(-1)?.use === use) return;
  samples.push({ at, use });
  samples.splice(0, samples.length - MOST_SAMPLES);
}

/** Forget all: another reader may see less. */
export function forgetSamples() {
  samples.length = 0;
}

/** @typedef {{by: "pool" | "chip" | "tenant", range: number, step: number, hasRoute: boolean, tenant?: string}} Wanted in s; `range` 0: one that shows something */

/** @param {Wanted} wanted @param {AbortSignal} [signal] @returns {Promise<Series & {range: number, since: number | null}>} */
export async function loadSeries({ by, range, step, hasRoute, tenant }, signal) {
  if (!hasRoute) return { ...fromSamples(samples, by), range, since: null };
  const to = Date.now();
  const load = async (/** @type {number} */ span) => {
    const query = { from: new Date(to - 1000 * span).toISOString(), to: new Date(to).toISOString(), step: fittingStep(span, step), by, tenant };
    return fromApi(await read("v1/utilisation/series", query, signal));
  };
  const found = await load(range || USUAL_RANGE_S);
  const fitting = range ? { range, since: null } : fittingRange(found, to);
  return { ...(fitting.range === (range || USUAL_RANGE_S) ? found : await load(fitting.range)), ...fitting };
}

/** @param {any} answer @returns {Series} */
export function fromApi(answer) {
  const times = answer.times.map((/** @type {string} */ at) => Date.parse(at));
  const lines = answer.series.map((/** @type {any} */ one) => line(one.name, times.length, one));
  return { times, lines, origin: "api" };
}

/** @param {{at: number, use: any}[]} seen @param {"pool" | "chip" | "tenant"} by @returns {Series} */
export function fromSamples(seen, by) {
  /** @type {Map<string, Line>} */
  const lines = new Map();
  seen.forEach(({ use }, index) => {
    for (const row of by === "tenant" ? use.tenants : use.pools) {
      const name = { pool: row.name, chip: row.chip, tenant: row.tenant }[by];
      const one = lines.get(name) ?? line(name, seen.length, {});
      lines.set(name, one);
      one.allocated[index] = (one.allocated[index] ?? 0) + row.devices_held;
      const limit = by === "tenant" ? row.quota : row.devices;
      if (limit !== null) one.capacity[index] = (one.capacity[index] ?? 0) + limit;
    }
  });
  return { times: seen.map(({ at }) => at), lines: [...lines.values()], origin: "page" };
}

/** @typedef {{allocated: number | null, busy: number | null, idle: number | null, unreported: number | null}} Now */

/** The last figures of each line that somebody looked at. @param {Line[]} lines @returns {Map<string, Now>} by name */
export function latest(lines) {
  return new Map(lines.map((one) => {
    const at = one.allocated.findLastIndex((value) => value !== null);
    return [one.name, { allocated: one.allocated[at] ?? null, busy: one.busy[at] ?? null, idle: one.idle[at] ?? null, unreported: one.unreported[at] ?? null }];
  }));
}

/** All lines added up; a figure that one of them lacks is left out of the sum. @param {Line[]} lines @param {number} length @returns {Line} */
export function total(lines, length) {
  const sum = (/** @type {"capacity" | "allocated" | "busy" | "idle" | "unreported"} */ key) =>
    Array.from({ length }, (_, index) => lines.reduce((/** @type {number | null} */ so, one) => (one[key][index] === null ? so : (so ?? 0) + one[key][index]), null));
  return { name: "all", capacity: sum("capacity"), allocated: sum("allocated"), busy: sum("busy"), idle: sum("idle"), unreported: sum("unreported") };
}

/** @param {string} name @param {number} length @param {any} given @returns {Line} */
function line(name, length, given) {
  const empty = () => Array.from({ length }, () => /** @type {number | null} */ (null));
  const { capacity = empty(), allocated = empty(), busy = empty(), idle = empty(), unreported = empty() } = given;
  return { name, capacity, allocated, busy, idle, unreported };
}
