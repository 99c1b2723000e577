// @ts-check
/** What each queue is due, holds and held lately, and how much that is of what it is due: by this queues are compared. */

import { useAsked } from "../data/watching.js";
import { routeTo } from "../route.js";
import { html } from "../view.js";
import { duration, percent, whole } from "../words/amounts.js";
import { Freshness, PlainTable, Trouble } from "./small.js";

const DUE_AT = 0.5; // a bar is full with twice what a queue is due
const EVERY_MS = 30_000; // use of days hardly changes sooner

/** @typedef {{chip: string | null, held: number, recent: number, half_life_s: number, share: number, against_due: number}} Standing */

export function QueueShares() {
  const asked = useAsked("v1/shares", { isList: true, everyMs: EVERY_MS, concerns: ({ kind }) => kind.startsWith("queue-") || kind.startsWith("group-") });
  const rows = asTree(asked.data?.items ?? []);
  /** @type {Standing | undefined} */
  const known = rows.find(({ share }) => share.standing)?.share.standing;
  const compared = known ? [["recent", "number"], ["most of", "medium"], ["share by due", "bar-cell"]] : [];
  return html`<section aria-labelledby="queue-shares-title"><div class="head"><h2 id="queue-shares-title">What queues are due and have</h2><${Freshness} at=${asked.at} error=${asked.error} mostMs=${90_000} /></div>
    <${Trouble} error=${asked.error} retry=${asked.reload} />
    <${PlainTable} caption="What queues are due and have" columns=${[["queue"], ["due", "number"], ["held", "number"], ...compared, ["running", "number medium"], ["waiting", "number"]]} rows=${rows.map(({ share, depth }) => [
      html`<span style=${{ paddingLeft: `${depth * 14}px` }}>${share.tenant ? html`<a href=${routeTo(["jobs"], { tenant: share.tenant })}>${share.queue}</a>` : share.queue}</span>`,
      percent(share.due, 1),
      percent(share.held, 1),
      ...(known ? compare(share.standing) : []),
      whole(share.running),
      whole(share.waiting),
    ])}>${asked.data && html`<p class="empty">No queues yet.</p>`}</${PlainTable}>
    ${known && html`<${Legend} halfLifeS=${known.half_life_s} />`}
    ${asked.data?.items.length > 0 && !known && html`<p class="quiet">The order of this server does not compare queues.</p>`}
  </section>`;
}

/** @param {Standing} standing */
function compare(standing) {
  return [percent(standing.recent, 1), standing.chip ?? "", html`<${ByDue} standing=${standing} />`];
}

/** What a queue has, by what it is due: a bar with a line at what is due, and the figure. @param {{standing: Standing}} props */
function ByDue({ standing }) {
  const filled = Math.min(1, standing.against_due * DUE_AT);
  const width = (/** @type {number} */ part) => `${100 * part}%`;
  const said = inWords(standing);
  return html`<span class="use-bar due-bar" role="img" aria-label=${said} title=${said}>
    <span class="use-held" style=${{ width: width(Math.min(filled, DUE_AT)) }}></span><span class="use-over" style=${{ width: width(Math.max(0, filled - DUE_AT)) }}></span>
  </span><span class="number use-text" aria-hidden="true">${times(standing.against_due)}</span>`;
}

/** @param {{halfLifeS: number}} props */
function Legend({ halfLifeS }) {
  const counts = halfLifeS ? `counts half after ${duration(halfLifeS)}` : "does not count here";
  return html`<p class="legend small-legend"><span><i class="use-held"></i>up to what is due, the line</span> <span><i class="use-over"></i>above it</span></p>
    <p class="quiet">Held: of all compute, now. Recent: of the chip type of which a queue has most; use ${counts}. Share by due: recent above all, and what is held now, by what is due. Of the queues in the same one the one with the least is next. In a terminal: <code>medley share</code></p>`;
}

/** How a queue stands, in a sentence. @param {Standing} standing @returns {string} */
export function inWords(standing) {
  const { against_due: byDue, chip, held, recent } = standing;
  if (chip === null) return "it has nothing, neither now nor lately";
  const place = byDue > 1 ? "over it" : byDue < 1 ? "under it" : "even";
  return `${times(byDue)} what it is due, ${place}; of ${chip}: recent ${percent(recent, 1)}, held now ${percent(held, 1)}`;
}

/** @param {number} factor @returns {string} */
export function times(factor) {
  return `${factor.toFixed(2)} x`;
}

/** Queues beneath those that they are in, with their depth; one in a queue that is not there is at the top. @param {any[]} shares @returns {{share: any, depth: number}[]} */
export function asTree(shares) {
  const known = new Set(shares.map(({ queue }) => queue));
  /** @type {Map<string | null, any[]>} */
  const within = new Map();
  for (const share of shares) {
    const parent = known.has(share.parent) ? share.parent : null;
    within.set(parent, [...(within.get(parent) ?? []), share]);
  }
  /** @type {(parent: string | null, depth: number) => {share: any, depth: number}[]} */
  const beneath = (parent, depth) => (within.get(parent) ?? []).flatMap((share) => [{ share, depth }, ...beneath(share.queue, depth + 1)]);
  return beneath(null, 0);
}
