// @ts-check
/** All nodes with who holds what: loaded once, then those that an event concerns are read again. */

import { read, readPages } from "./api.js";
import { feed } from "./feed.js";
import { isLoggedIn, onSession } from "./session.js";
import { Store } from "./watching.js";

const PAGE = 200;
const MOST_NAMED = 100;
const SOON_MS = 500;
const ALL_ANEW_MS = 30_000; // what belongs to other tenants comes without an event

class Nodes extends Store {
  constructor() {
    super();
    /** @type {Map<string, any>} */
    this.nodes = new Map();
    /** @type {"idle" | "loading" | "loaded"} */
    this.state = "idle";
    /** @type {Error | null} */
    this.error = null;
    /** @type {number | null} */
    this.at = null;
    /** @type {Set<string>} */
    this.stale = new Set();
    this.readers = 0;
    this.reconnects = 0;
    this.isBusy = false;
    /** @type {number | undefined} */
    this.soon = undefined;
    feed.listen((events) => this.takeIn(events));
    feed.watch(() => this.followFeed());
    onSession(() => !isLoggedIn() && ((this.nodes = new Map()), (this.state = "idle")));
    /** Whether things happen that the reader is not told of. */
    this.isPartial = false;
    setInterval(() => this.readers > 0 && this.isPartial && !document.hidden && this.load(), ALL_ANEW_MS);
  }

  /** Keep up while somebody looks. @param {boolean} isPartial @returns {() => void} ends it */
  open(isPartial) {
    this.isPartial = isPartial;
    this.readers++;
    if (this.readers === 1) void this.load();
    return () => this.readers--;
  }

  followFeed() {
    if (feed.reconnects === this.reconnects) return;
    this.reconnects = feed.reconnects;
    if (this.readers) void this.load();
  }

  async load() {
    if (this.isBusy) return;
    this.isBusy = true;
    if (this.state === "idle") this.state = "loading";
    this.stale.clear();
    const seen = new Set();
    try {
      await readPages("v1/nodes", { limit: PAGE }, (items) => {
        for (const node of items) this.keep(node, seen);
        this.changed();
      });
      for (const id of this.nodes.keys()) if (!seen.has(id)) this.nodes.delete(id);
      this.at = Date.now();
      this.error = null;
    } catch (error) {
      this.error = /** @type {Error} */ (error);
    }
    this.state = "loaded";
    this.isBusy = false;
    this.changed();
  }

  /** A node that is as it was stays the same object: what is drawn of it then is, too. @param {any} node @param {Set<string>} seen */
  keep(node, seen) {
    const id = `${node.cluster}/${node.name}`;
    seen.add(id);
    const before = this.nodes.get(id);
    if (before === undefined || JSON.stringify(before) !== JSON.stringify(node)) this.nodes.set(id, node);
  }

  /** @param {import("./feed.js").FeedEvent[]} events */
  takeIn(events) {
    if (!this.readers) return;
    const jobs = new Set();
    for (const { kind, job, data } of events) {
      if (kind === "group-placed" || kind === "group-resized") for (const worker of data.workers) this.stale.add(worker.node);
      else if (kind === "node-seen") this.stale.add(`${data.cluster}/${data.name}`);
      else if (kind === "group-moved" || kind === "resize-advanced") jobs.add(job);
    }
    if (jobs.size) {
      for (const [id, node] of this.nodes) {
        if (node.holdings.some((/** @type {any} */ one) => jobs.has(one.job))) this.stale.add(id);
      }
    }
    if (this.stale.size) this.soon ??= setTimeout(() => this.renew(), SOON_MS);
  }

  async renew() {
    this.soon = undefined;
    const ids = [...this.stale];
    this.stale.clear();
    if (ids.length > MOST_NAMED) return this.load();
    try {
      const { items } = await read("v1/nodes", { node: ids, limit: PAGE });
      const seen = new Set();
      for (const node of items) this.keep(node, seen);
      for (const id of ids) if (!seen.has(id)) this.nodes.delete(id);
      this.at = Date.now();
    } catch (error) {
      this.error = /** @type {Error} */ (error);
    }
    this.changed();
  }
}

export const nodes = new Nodes();
