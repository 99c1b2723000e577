// @ts-check
/** All jobs that the reader may see, in short: loaded once in large pages, then kept up by the feed. */

import { ask, readPages } from "./api.js";
import { feed } from "./feed.js";
import { isLoggedIn, onSession } from "./session.js";
import { Store } from "./watching.js";

export const MOST_ROWS = 20_000;
const FIRST_PAGE = 300;
const PAGE = 2000;
const LIVE = ["queued", "placed", "starting", "running", "stopping"];
const FINAL = new Set(["succeeded", "failed", "cancelled"]);
const NEW_MS = 300;
const AT_ONCE = 100; // jobs that one request cancels
const CHANGES_AT_ONCE = 6; // requests under way that change one job each

/**
 * @typedef {{id: string, tenant: string, name: string, kind: string, state: string, priority: number, workers: number,
 *   devices: number, chips: string[], mix?: Record<string, number> | null, submitted_by: string, submitted_at: string, finished_at: string | null,
 *   attempts: number, stop_reason: string | null, progress: any,
 *   replicas: {wanted: number, ready: number} | null, array: string | null,
 *   starts: {earliest: string, latest: string, basis: string} | null}} JobRow
 */

class Jobs extends Store {
  constructor() {
    super();
    /** @type {Map<string, JobRow>} */
    this.rows = new Map();
    /** @type {"idle" | "loading" | "loaded"} */
    this.state = "idle";
    /** @type {Error | null} */
    this.error = null;
    /** @type {number | null} when it was last complete, in ms */
    this.at = null;
    /** Whether there are older finished jobs than those that are here. */
    this.hasOlder = false;
    this.reconnects = 0;
    /** @type {AbortController} */
    this.loading = new AbortController();
    this.wantsNew = false;
    /** Reads under way; what the feed says meanwhile may be newer than what they bring. */
    this.reading = 0;
    /** @type {import("./feed.js").FeedEvent[]} */
    this.meanwhile = [];
    feed.listen((events) => this.takeIn(events));
    feed.watch(() => this.followFeed());
    onSession(() => !isLoggedIn() && this.forget());
  }

  forget() {
    this.loading.abort();
    this.rows = new Map();
    this.state = "idle";
    this.changed();
  }

  /** Load at the first call. */
  want() {
    if (this.state === "idle") void this.load();
  }

  followFeed() {
    if (feed.reconnects !== this.reconnects && this.state !== "idle") {
      this.reconnects = feed.reconnects;
      void this.load();
    }
  }

  async load() {
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    this.state = "loading";
    this.error = null;
    this.changed();
    try {
      await this.reconciled(() => this.loadAll(signal));
      this.at = Date.now();
      this.state = "loaded";
    } catch (error) {
      if (signal.aborted) return;
      this.error = /** @type {Error} */ (error);
      this.state = "loaded";
    }
    this.changed();
  }

  /** Read, then let what the feed said meanwhile win over what was read. @param {() => Promise<void>} readThem */
  async reconciled(readThem) {
    this.reading++;
    try {
      await readThem();
    } finally {
      this.reading--;
      const events = this.meanwhile;
      if (!this.reading) this.meanwhile = [];
      this.apply(events);
    }
  }

  /** The newest first, so that something is seen at once; then the rest; unfinished ones however old. @param {AbortSignal} signal */
  async loadAll(signal) {
    const seen = new Set();
    let oldest = "";
    /** @type {(items: JobRow[]) => void} */
    const keep = (items) => {
      for (const row of items) {
        this.rows.set(row.id, row);
        seen.add(row.id);
      }
      this.changed();
    };
    let limit = FIRST_PAGE;
    this.hasOlder = false;
    let cursor = null;
    do {
      const page = await ask("GET", "v1/jobs/rows", { query: { limit, cursor }, signal });
      keep(page.items);
      oldest = page.items.at(-1)?.id ?? oldest;
      cursor = page.next;
      limit = PAGE;
    } while (cursor !== null && seen.size < MOST_ROWS);
    if (cursor !== null) {
      this.hasOlder = true;
      await readPages("v1/jobs/rows", { limit: PAGE, state: LIVE }, (items) => (keep(items), seen.size >= 2 * MOST_ROWS), signal);
    }
    for (const id of this.rows.keys()) if (!seen.has(id) && id < oldest) this.rows.delete(id);
  }

  /** @param {import("./feed.js").FeedEvent[]} events */
  takeIn(events) {
    if (this.state === "idle") return;
    if (events.some((event) => event.kind === "job-submitted" && !this.rows.has(/** @type {string} */ (event.job)))) void this.loadNew();
    if (this.reading) this.meanwhile.push(...events);
    this.apply(events);
  }

  /** @param {import("./feed.js").FeedEvent[]} events */
  apply(events) {
    let isChanged = false;
    for (const event of events) {
      const row = event.job === null ? undefined : this.rows.get(event.job);
      if (row === undefined) continue;
      const next = moved(row, event);
      if (next !== row) this.rows.set(row.id, next), (isChanged = true);
    }
    if (isChanged) this.changed();
  }

  /** Load what came since the newest row that is here. */
  async loadNew() {
    if (this.wantsNew) return;
    this.wantsNew = true;
    try {
      await this.reconciled(async () => {
        await new Promise((resolve) => setTimeout(resolve, NEW_MS));
        this.wantsNew = false;
        await readPages("v1/jobs/rows", { limit: FIRST_PAGE }, (items) => {
          const isEnough = items.some((row) => this.rows.has(row.id));
          for (const row of items) if (!this.rows.has(row.id)) this.rows.set(row.id, row);
          return isEnough || items.length < FIRST_PAGE;
        }, this.loading.signal);
      });
      this.error = null;
    } catch (error) {
      if (!this.loading.signal.aborted) this.error = /** @type {Error} */ (error);
    }
    this.changed();
  }
}

/**
 * A row after an event of its job; the same row where nothing of it changed.
 * @param {JobRow} row @param {import("./feed.js").FeedEvent} event @returns {JobRow}
 */
export function moved(row, event) {
  if (event.kind === "progress-reported") return { ...row, progress: { ...event.data, at: event.at } };
  if (event.kind === "priority-changed") return { ...row, priority: event.data.priority };
  if (event.kind === "replicas-wished" && row.replicas) return { ...row, replicas: { ...row.replicas, wanted: event.data.replicas } };
  if (event.state === null || event.kind === "job-submitted" || FINAL.has(row.state)) return row;
  const next = { ...row, state: event.state };
  if (FINAL.has(event.state)) next.finished_at = event.at;
  if (event.kind === "group-placed") {
    next.attempts = event.data.number ?? row.attempts;
    next.stop_reason = null;
    next.progress = null;
  }
  if (row.replicas && event.data?.ready !== undefined) next.replicas = { ...row.replicas, ready: event.data.ready };
  if (event.data?.stop) next.stop_reason = event.data.stop.reason;
  return next;
}

export const jobs = new Jobs();

/**
 * Cancel jobs, a few at a time; what fails is said for each, and does not keep the others.
 * @param {string[]} ids
 * @param {(done: number) => void} onDone
 * @param {AbortSignal} [signal]
 * @returns {Promise<{id: string, error: Error}[]>} what failed
 */
export async function cancelJobs(ids, onDone, signal) {
  /** @type {{id: string, error: Error}[]} */
  const failed = [];
  for (let at = 0; at < ids.length && !signal?.aborted; at += AT_ONCE) {
    const some = ids.slice(at, at + AT_ONCE);
    try {
      const answer = await ask("POST", "v1/jobs/cancel", { body: { jobs: some }, signal });
      const missing = answer.items.filter((/** @type {any} */ { outcome }) => outcome === "not-found");
      failed.push(...missing.map((/** @type {any} */ { id }) => ({ id, error: new Error("There is no such job any more.") })));
    } catch (error) {
      if (!signal?.aborted) failed.push(...some.map((id) => ({ id, error: /** @type {Error} */ (error) })));
    }
    onDone(at + some.length);
  }
  return failed;
}

/**
 * Give jobs a priority, a few at a time; what fails is said for each, and does not keep the others.
 * @param {string[]} ids
 * @param {number} priority
 * @param {(done: number) => void} onDone
 * @param {AbortSignal} [signal]
 * @returns {Promise<{id: string, error: Error}[]>} what failed
 */
export async function changePriorities(ids, priority, onDone, signal) {
  /** @type {{id: string, error: Error}[]} */
  const failed = [];
  const left = [...ids];
  let done = 0;
  const change = async () => {
    for (let id = left.shift(); id !== undefined && !signal?.aborted; id = left.shift()) {
      try {
        await ask("PATCH", `v1/jobs/${id}`, { body: { priority }, signal });
      } catch (error) {
        if (!signal?.aborted) failed.push({ id, error: /** @type {Error} */ (error) });
      }
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: CHANGES_AT_ONCE }, change));
  return failed;
}
