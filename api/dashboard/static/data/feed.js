// @ts-check
/** The change feed, live: read with fetch, so that the token is a header; it goes on where it stopped. */

import { ApiError, openStream, pause } from "./api.js";
import { isLoggedIn, onSession } from "./session.js";

const SILENCE_MS = 40_000; // the server sends a heartbeat every 15 s
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;
const HIDDEN_MS = 60_000; // a page that nobody looks at gives its connection back after this
const LONG_AWAY_MS = 600_000; // after this all is read anew: it is less than what happened meanwhile
const BATCH_MS = 150;
const MOST_RECENT = 200;
const REPLAYED = 150; // changes before the page was opened, for "what happened last"

/**
 * @typedef {{number: number, at: string, tenant: string | null, job: string | null, kind: string, state: string | null,
 *   text: string, data: any}} FeedEvent
 * @typedef {{id?: string, event?: string, data?: string}} Frame
 */

/**
 * Return what takes the text of a stream piece by piece and hands on whole frames.
 * @param {(frame: Frame) => void} onFrame
 * @returns {(text: string) => void}
 */
export function frameReader(onFrame) {
  let rest = "";
  return (text) => {
    const blocks = (rest + text).split("\n\n");
    rest = /** @type {string} */ (blocks.pop());
    for (const block of blocks) onFrame(parseFrame(block));
  };
}

/** @param {string} block @returns {Frame} */
export function parseFrame(block) {
  /** @type {Record<string, string>} */
  const frame = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, "");
    frame[name] = name in frame ? `${frame[name]}\n${value}` : value;
  }
  return frame;
}

/** Wait until somebody looks at the page. @param {AbortSignal} signal @returns {Promise<void>} */
function untilSeen(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => (document.hidden && !signal.aborted) || (document.removeEventListener("visibilitychange", look), resolve());
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look, { once: true });
  });
}

/** One stream for the whole page; parts listen to it. */
class Feed {
  constructor() {
    /** @type {Set<(events: FeedEvent[]) => void>} */
    this.readers = new Set();
    /** @type {Set<() => void>} */
    this.watchers = new Set();
    /** @type {"connecting" | "live" | "down"} */
    this.state = "connecting";
    /** When the stream last said anything, in ms. */
    this.heardAt = Date.now();
    /** @type {string} */
    this.trouble = "";
    /** @type {FeedEvent[]} newest first */
    this.recent = [];
    /** How often so much was missed that what was loaded before is to be loaded anew. */
    this.reconnects = 0;
    /** @type {string | null} */
    this.lastId = null;
    /** @type {AbortController | null} */
    this.running = null;
    /** @type {FeedEvent[]} */
    this.batch = [];
    /** Events up to this number are history. */
    this.startedAt = Infinity;
    /** @type {AbortController | null} the one connection */
    this.connection = null;
    /** @type {number | undefined} */
    this.resting = undefined;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.resting);
      if (document.hidden) this.resting = setTimeout(() => this.connection?.abort(), HIDDEN_MS);
    });
    onSession(() => (isLoggedIn() ? this.start() : this.stop()));
  }

  start() {
    if (this.running) return;
    this.running = new AbortController();
    this.state = "connecting";
    this.lastId = null;
    this.recent = [];
    this.startedAt = Infinity;
    void this.run(this.running.signal);
  }

  beginAnew() {
    this.lastId = null;
    this.startedAt = Infinity;
    this.heardAt = Date.now();
    this.reconnects++;
  }

  stop() {
    this.running?.abort();
    this.running = null;
    this.batch = [];
  }

  /** Hear events in batches. @param {(events: FeedEvent[]) => void} reader @returns {() => void} */
  listen(reader) {
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  }

  /** Hear of the stream's own state. @param {() => void} watcher @returns {() => void} */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** @param {AbortSignal} signal */
  async run(signal) {
    let wait = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      await untilSeen(signal);
      if (Date.now() - this.heardAt > LONG_AWAY_MS) this.beginAnew();
      const openedAt = Date.now();
      try {
        await this.readOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.trouble = error instanceof ApiError ? error.message : "The connection broke.";
      }
      if (signal.aborted) return;
      if (document.hidden) continue;
      if (Date.now() - openedAt > LONGEST_PAUSE_MS) wait = FIRST_PAUSE_MS;
      this.become("down");
      await pause(wait * (0.75 + Math.random() / 2), signal);
      wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
    }
  }

  /** @param {AbortSignal} outer */
  async readOnce(outer) {
    const inner = new AbortController();
    this.connection = inner;
    const signal = AbortSignal.any([outer, inner.signal]);
    let watchdog = setTimeout(() => inner.abort(), SILENCE_MS);
    try {
      const headers = this.lastId === null ? undefined : { "Last-Event-ID": this.lastId };
      const response = await openStream("v1/events", { headers, signal });
      const reader = /** @type {ReadableStream} */ (response.body).pipeThrough(new TextDecoderStream()).getReader();
      const takeIn = frameReader((frame) => this.takeFrame(frame));
      this.become("live");
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        this.heardAt = Date.now();
        clearTimeout(watchdog);
        watchdog = setTimeout(() => inner.abort(), SILENCE_MS);
        takeIn(value);
        if (this.startedAt === Infinity && this.lastId !== null) {
          // It told where the feed stands: begin again a little before, to know what happened last.
          this.startedAt = Number(this.lastId);
          this.lastId = String(Math.max(0, this.startedAt - REPLAYED));
          inner.abort();
          return await this.readOnce(outer);
        }
      }
    } finally {
      clearTimeout(watchdog);
      inner.abort();
    }
  }

  /** @param {Frame} frame */
  takeFrame(frame) {
    if (frame.id !== undefined) this.lastId = frame.id;
    if (frame.data === undefined || frame.event === "end") return;
    this.batch.push(JSON.parse(frame.data));
    if (this.batch.length === 1) setTimeout(() => this.handOn(), BATCH_MS);
  }

  handOn() {
    const batch = this.batch;
    this.batch = [];
    if (!batch.length) return;
    this.recent = [...batch.slice(-MOST_RECENT).reverse(), ...this.recent].slice(0, MOST_RECENT);
    const news = batch.filter((event) => event.number > this.startedAt);
    if (news.length) for (const reader of [...this.readers]) reader(news);
    for (const watcher of [...this.watchers]) watcher();
  }

  /** @param {"connecting" | "live" | "down"} state */
  become(state) {
    this.state = state;
    if (state === "live") this.heardAt = Date.now();
    for (const watcher of [...this.watchers]) watcher();
  }
}

export const feed = new Feed();
