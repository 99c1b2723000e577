// @ts-check
/** Lines of jobs under head lines, one for each tenant or state, that say what is below them. */

import { counted, whole } from "./amounts.js";
import { jobsOf, statesText } from "./arrays.js";
import { STATES } from "./jobs.js";

/** @typedef {import("../data/jobs.js").JobRow | import("./arrays.js").ArrayRow} Line */
/** @typedef {"tenant" | "state"} By */
/** @typedef {{id: string, name: string, below: Line[]}} Head `below` are the lines of its group */

/**
 * Lines under heads, in the order in which they come; groups in that of the table where it is sorted by what makes
 * them, else states in that of a job's life and tenants by name. An array is in the group of its own state.
 * @param {Line[]} lines @param {By} by @param {string} sort @returns {(Line | Head)[]}
 */
export function grouped(lines, by, sort) {
  /** @type {Map<string, Head>} */
  const heads = new Map();
  for (const line of lines) {
    const name = line[by];
    const head = heads.get(name) ?? { id: `${by}:${name}`, name, below: [] };
    heads.set(name, head);
    head.below.push(line);
  }
  const found = [...heads.values()];
  const place = (/** @type {Head} */ { name }) => (by === "state" ? STATES.indexOf(name) : name);
  if (sort.replace(/^-/, "") !== by) found.sort((a, b) => (place(a) < place(b) ? -1 : 1));
  return found.flatMap((head) => [head, ...head.below]);
}

/** What is below a head: `12 jobs in 3 lines, 96 devices: 10 queued, 2 running`. @param {Head} head @returns {string} */
export function headText({ name, below }) {
  /** @type {import("./arrays.js").States} */
  const states = {};
  let [jobs, devices] = [0, 0];
  for (const line of below) {
    devices += line.devices;
    for (const { state } of jobsOf(line)) states[state] = (states[state] ?? 0) + 1, jobs++;
  }
  const lines = below.length < jobs ? ` in ${counted(below.length, "line", "lines")}` : "";
  const isAsNamed = states[name] === jobs;
  return `${counted(jobs, "job", "jobs")}${lines}, ${whole(devices)} ${devices === 1 ? "device" : "devices"}${isAsNamed ? "" : `: ${statesText(states)}`}`;
}
