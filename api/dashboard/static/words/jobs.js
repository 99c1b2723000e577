// @ts-check
/** A job in words, the same as the `medley` command's. */

import { age, counted, memory } from "./amounts.js";

export const STATES = ["queued", "placed", "starting", "running", "stopping", "succeeded", "failed", "cancelled"];
export const FINAL = new Set(["succeeded", "failed", "cancelled"]);

/** @type {Record<string, string>} */
const ENDS = {
  preempted: "its devices were given to another job",
  replaced: "replaced by a new version",
  "start-refused": "the cluster refused to start it",
  lost: "a worker vanished",
  unstartable: "its image or settings cannot be used",
  "node-rejected": "a node refused a worker",
  disrupted: "the cluster took a worker away",
  "worker-failed": "a worker failed",
  "out-of-memory": "out of memory",
  "time-limit": "over its time limit",
  stalled: "no progress for too long",
  silent: "its heartbeats stopped",
  "server-ended": "its server ended by itself",
  "scaled-down": "fewer replicas were wanted",
  cancelled: "cancelled",
};

/** Why an attempt ended; empty where nothing is known. @param {string | null} reason @returns {string} */
export function endText(reason) {
  return reason === null ? "" : (ENDS[reason] ?? reason);
}

/** How a job in short fares. @param {import("../data/jobs.js").JobRow} row @returns {string} */
export function situation(row) {
  if (row.replicas && !FINAL.has(row.state)) return `${row.replicas.ready} of ${counted(row.replicas.wanted, "replica", "replicas")} ready`;
  if (["stopping", "failed", "cancelled"].includes(row.state) && row.stop_reason) return endText(row.stop_reason);
  if (row.state === "failed" && !row.attempts) return "refused";
  if (row.state === "queued" && row.attempts) return `waits for attempt ${row.attempts + 1}: ${endText(row.stop_reason)}`;
  const { progress } = row;
  return progress && row.state === "running" ? progressText(progress) : "";
}

/** When it is expected to start; empty where nobody knows, or where it is about to. @param {{earliest: string, latest: string, basis: string} | null | undefined} starts @param {number} now in ms @returns {string} */
export function startText(starts, now) {
  if (!starts || starts.basis === "free") return "";
  const [earliest, latest] = [starts.earliest, starts.latest].map((at) => age((Date.parse(at) - now) / 1000));
  return `starts in ${earliest === latest ? `about ${latest}` : `${earliest} to ${latest}`} (${starts.basis})`;
}

/** How far a training is; what nobody said is left out. @param {any} progress @returns {string} */
export function progressText({ step, steps, loss }) {
  return `step ${steps ? `${step}/${steps}` : step}${loss === null ? "" : `, loss ${loss.toFixed(3)}`}`;
}

/** @param {any} chips @returns {string[]} */
function types(chips) {
  if (!chips) return [];
  return typeof chips === "string" ? [chips] : chips;
}

/** Chip types asked for: `2 h100-sxm + 2 mi300x`, or `h100-sxm, else mi300x`. @param {any} chips @returns {string} */
export function wantedChips(chips) {
  if (chips && typeof chips === "object" && !Array.isArray(chips)) {
    return Object.entries(chips).map(([chip, count]) => `${count} ${chip}`).join(" + ");
  }
  return types(chips).join(", else ");
}

/** @param {any} part @returns {string} */
function sized(part) {
  const workers = `${part.min_workers ? `${part.min_workers} to ` : ""}${counted(part.workers, "worker", "workers")}`;
  const chips = wantedChips(part.chips);
  if (part.share) return `${workers} of a device's ${part.share.milli / 10} % (${memory(part.share.memory_mib)}) each: ${chips}`;
  if (!part.devices_per_worker) return `${workers} without devices`;
  return `${workers} of ${counted(part.devices_per_worker, "device", "devices")} each: ${chips}`;
}

/** What is asked for, a line each. @param {any} spec @returns {string[]} */
export function wanted(spec) {
  const others = (spec.alternatives ?? []).map((/** @type {any} */ one) => `or ${sized(one)}`);
  const roles = (spec.roles ?? []).map((/** @type {any} */ one) => `and as ${one.name}: ${sized(one)}`);
  const each = spec.kind === "inference" ? `${counted(spec.replicas, "replica", "replicas")}, each ` : "";
  return [each + sized(spec), ...others, ...roles];
}

/** What each worker runs. @param {any} spec @returns {string} */
export function program(spec) {
  if (spec.command) return spec.command.map(quoted).join(" ");
  if (spec.serve) return `the reference server, with ${spec.serve.training ? `the newest checkpoint of ${spec.serve.training}` : "fresh weights"}`;
  const training = Object.entries(spec.training ?? {}).map(([name, value]) => `${name} ${value}`);
  return `the reference training, ${training.join(", ")}`;
}

/** @param {string} word @returns {string} */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** Why a worker failed, in the order of ranks; null where none did. @param {any} attempt @returns {string | null} */
export function firstFailure(attempt) {
  const failed = attempt.workers.find((/** @type {any} */ one) => one.end === "lost" || (one.end === "exited" && one.exit_code !== 0) || one.end === "memory-limit");
  return failed ? `rank ${failed.rank} ${workerEnd(failed)}` : null;
}

/** How a worker ended. @param {any} worker @returns {string} */
export function workerEnd(worker) {
  if (worker.end === null) return worker.phase;
  if (worker.end === "exited" && worker.exit_code !== null) {
    return worker.exit_code < 0 ? `ended by signal ${-worker.exit_code}` : `exited with ${worker.exit_code}`;
  }
  return worker.end.replace("-", " ");
}

/** Devices that a worker holds. @param {any} worker @returns {string} */
export function workerDevices(worker) {
  if (worker.share) return `${worker.share.milli / 10} % of device ${worker.devices.join(", ")}`;
  if (worker.devices_counted) return counted(worker.devices_counted, "device", "devices");
  return worker.devices.length ? ranges(worker.devices) : "none";
}

/** Numbers with their runs joined: `0-3, 6`. @param {number[]} numbers @returns {string} */
export function ranges(numbers) {
  /** @type {[number, number][]} */
  const runs = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
}
