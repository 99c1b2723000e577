// @ts-check
/** How parts of a screen keep up: with a store, with an answer that is asked for again and again, with the clock. */

import { useEffect, useRef, useState } from "../view.js";
import { read, readWhole } from "./api.js";
import { feed } from "./feed.js";

/** Something that changes and says so, at most every `SETTLE_MS`. */
export class Store {
  constructor() {
    /** @type {Set<() => void>} */
    this.watchers = new Set();
    this.version = 0;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /** @param {() => void} watcher @returns {() => void} */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  changed() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.version++;
      for (const watcher of [...this.watchers]) watcher();
    }, SETTLE_MS);
  }
}

const SETTLE_MS = 100;

/** Draw anew whenever a store or the feed changes. @param {{watch: (watcher: () => void) => () => void}} source */
export function useChanges(source) {
  const [, draw] = useState(0);
  useEffect(() => source.watch(() => draw((count) => count + 1)), [source]);
}

/**
 * An answer that is kept fresh.
 * @typedef {{data: any, error: Error | null, at: number | null, reload: () => void}} Asked
 */

/**
 * Ask for a path, again every `everyMs` while the page is looked at, and soon after events that `concerns` them.
 * @param {string | null} path nothing is asked while it is null
 * @param {{query?: Record<string, any>, lastS?: number, isList?: boolean, everyMs?: number, concerns?: (event: import("./feed.js").FeedEvent) => boolean}} [how]
 *   `lastS`: of the time from so many seconds before each asking; a list comes with the items of all its pages
 * @returns {Asked}
 */
export function useAsked(path, { query = {}, lastS, isList = false, everyMs = 15_000, concerns } = {}) {
  const [asked, setAsked] = useState(/** @type {any} */ ({ data: null, error: null, at: null }));
  const key = `${path}?${JSON.stringify([query, lastS])}`;
  const again = useRef(() => {});
  useEffect(() => {
    if (path === null) return;
    const ending = new AbortController();
    let timer = 0;
    let startedAt = 0;
    let isBusy = false;
    let isWanted = false;
    const load = async () => {
      clearTimeout(timer);
      isWanted = isBusy;
      if (isBusy) return;
      isBusy = true;
      startedAt = Date.now();
      try {
        const from = lastS === undefined ? {} : { from: new Date(startedAt - 1000 * lastS).toISOString() };
        const data = await (isList ? readWhole : read)(path, { ...query, ...from }, ending.signal);
        if (!ending.signal.aborted) setAsked({ data, error: null, at: Date.now() });
      } catch (error) {
        if (!ending.signal.aborted) setAsked((/** @type {Asked} */ before) => ({ ...before, error }));
      }
      isBusy = false;
      if (ending.signal.aborted) return;
      timer = setTimeout(soon, isWanted ? QUICK_MS : everyMs);
    };
    const soon = () => (document.hidden ? (timer = setTimeout(soon, everyMs)) : void load());
    const nudge = () => {
      if (isBusy) isWanted = true;
      else {
        clearTimeout(timer);
        timer = setTimeout(load, Math.max(0, startedAt + QUICK_MS - Date.now()));
      }
    };
    setAsked((/** @type {Asked & {key?: string}} */ before) => (before.key === key ? before : { data: null, error: null, at: null, key }));
    again.current = () => void load();
    void load();
    const unlisten = concerns && feed.listen((events) => events.some(concerns) && nudge());
    const wake = () => !document.hidden && nudge();
    document.addEventListener("visibilitychange", wake);
    return () => {
      ending.abort();
      clearTimeout(timer);
      unlisten?.();
      document.removeEventListener("visibilitychange", wake);
    };
  }, [key]);
  return { ...asked, reload: () => again.current() };
}

const QUICK_MS = 700;

/** The time of this machine in ms, drawn anew every `everyMs`: at the same moment wherever it is shown. @param {number} everyMs @returns {number} */
export function useNow(everyMs) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    let timer = 0;
    const tick = () => {
      timer = setTimeout(() => (setNow(Date.now()), tick()), everyMs - (Date.now() % everyMs));
    };
    tick();
    return () => clearTimeout(timer);
  }, [everyMs]);
  return now;
}
