// @ts-check
/** Arrays of jobs, a line each: what it is called, how its jobs stand. The same words as `medley ls` has. */

import { counted, whole } from "./amounts.js";
import { STATES, ranges } from "./jobs.js";

/** @typedef {import("../data/jobs.js").JobRow} JobRow */
/** @typedef {Record<string, number>} States how many jobs are in which state */
/** @typedef {JobRow & {members: JobRow[], states: States}} ArrayRow `members` are those that are listed; `states` is of all. */

/** The first of these that one of its jobs is in is an array's state. */
const TELLING = ["running", "starting", "placed", "stopping", "queued", "failed", "cancelled", "succeeded"];
const MOST_RANGES = 3;

/** What an array is called, and which of it a job is: `sweep-12` is `["sweep", 12]`. @param {JobRow} row @returns {[string, number]} */
export function placeInArray({ name }) {
  const at = name.lastIndexOf("-");
  return [name.slice(0, at), Number(name.slice(at + 1))];
}

/** How all jobs of each array stand. @param {Iterable<JobRow>} rows @returns {Map<string, States>} */
export function standings(rows) {
  const found = /** @type {Map<string, States>} */ (new Map());
  for (const { array, state } of rows) {
    if (!array) continue;
    const states = found.get(array) ?? {};
    states[state] = (states[state] ?? 0) + 1;
    found.set(array, states);
  }
  return found;
}

/**
 * Rows with one for all those of an array, in the place of its first.
 * @param {JobRow[]} rows @param {Map<string, States>} standing of all jobs, listed or not
 * @returns {(JobRow | ArrayRow)[]}
 */
export function folded(rows, standing) {
  const arrays = /** @type {Map<string, ArrayRow>} */ (new Map());
  const lines = /** @type {(JobRow | ArrayRow)[]} */ ([]);
  for (const row of rows) {
    const known = arrays.get(row.array ?? "");
    if (known) {
      known.members.push(row);
      known.workers += row.workers;
      known.devices += row.devices;
    } else if (!row.array) {
      lines.push(row);
    } else {
      const states = standing.get(row.array) ?? {};
      const line = { ...row, id: row.array, name: placeInArray(row)[0], state: arrayState(states), members: [row], states };
      arrays.set(row.array, line);
      lines.push(line);
    }
  }
  return lines;
}

/** The jobs of a line: an array's, or the one that it is. @param {JobRow | ArrayRow} row @returns {JobRow[]} */
export function jobsOf(row) {
  return "members" in row ? row.members : [row];
}

/** What a line is called; an array with the numbers of those that are listed: `sweep[0-99]`. @param {JobRow | ArrayRow} row @returns {string} */
export function lineName(row) {
  if (!("members" in row)) return row.name;
  const numbers = ranges(row.members.map((one) => placeInArray(one)[1])).split(", ");
  return `${row.name}[${[...numbers.slice(0, MOST_RANGES), ...(numbers.length > MOST_RANGES ? ["…"] : [])].join(", ")}]`;
}

/** What an array is as a whole. @param {States} states @returns {string} */
export function arrayState(states) {
  return TELLING.find((state) => states[state]) ?? "queued";
}

/** How the jobs of an array stand: `100 jobs: 90 queued, 8 running, 2 succeeded`. @param {ArrayRow} row @returns {string} */
export function arraySituation({ states, members }) {
  const jobs = Object.values(states).reduce((sum, number) => sum + number, 0);
  const listed = members.length < jobs ? ` (${whole(members.length)} listed)` : "";
  return `${counted(jobs, "job", "jobs")}${listed}: ${statesText(states)}`;
}

/** `90 queued, 8 running`. @param {States} states @returns {string} */
export function statesText(states) {
  return STATES.filter((state) => states[state]).map((state) => `${whole(states[state])} ${state}`).join(", ");
}
