// @ts-check
/** Queues and shares: what each queue is due and has, what each tenant may hold, holds, held over time, and waits for. */

import { read } from "../data/api.js";
import { jobs } from "../data/jobs.js";
import { useAsked, useChanges, useNow } from "../data/watching.js";
import { QueueShares } from "../parts/queue_shares.js";
import { SharesOverTime } from "../parts/shares.js";
import { Empty, Freshness, PlainTable, Trouble, UseBar } from "../parts/small.js";
import { routeTo } from "../route.js";
import { html, useEffect, useMemo, useState } from "../view.js";
import { age, whole } from "../words/amounts.js";
import { wantedChips } from "../words/jobs.js";

const MOST_WAITING = 12;
const EVERY_MS = 20_000;

/** @param {{me: any, may: (name: string) => boolean}} props */
export function Queues({ me, may }) {
  const use = useAsked("v1/utilisation", { concerns: ({ kind }) => kind.startsWith("group-") || kind.startsWith("quota-") });
  useEffect(() => jobs.want(), []);
  useChanges(jobs);
  const now = useNow(5000);
  const waiting = useMemo(() => [...jobs.rows.values()].filter((row) => row.state === "queued"), [jobs.version]);
  const rows = useMemo(() => shares(use.data, waiting), [use.data, waiting]);
  const first = useMemo(() => inOrder(waiting).slice(0, MOST_WAITING), [waiting]);
  const whys = useWhys(first.map((row) => row.id));
  return html`<div class="screen">
    <div class="head"><h1>Queues and shares</h1><${Freshness} at=${use.at} error=${use.error} /></div>
    <${Trouble} error=${use.error} retry=${use.reload} />
    ${may("list_shares") && html`<${QueueShares} />`}
    <section aria-labelledby="shares-title"><h2 id="shares-title">Tenants' shares</h2>
      <${PlainTable} caption="Tenants' shares" columns=${[["tenant"], ["chip"], ["held", "number"], ["quota", "number"], ["of quota", "bar-cell"], ["waiting jobs", "number"], ["they ask for", "number"], ["oldest", "number"]]} rows=${rows.map((row) => [
        html`<a href=${routeTo(["jobs"], { tenant: row.tenant, state: "queued" })}>${row.tenant}</a>`,
        row.chip,
        whole(row.held),
        row.quota === null ? html`<span class="quiet">no limit</span>` : whole(row.quota),
        row.quota === null ? "" : html`<${UseBar} held=${row.held} of=${row.quota} label="of its quota held" />`,
        whole(row.waiting),
        row.asked ? whole(row.asked) : "",
        row.oldest === null ? "" : age((now - row.oldest) / 1000),
      ])}>${use.data && html`<${Empty} command=${me.tenant ? "medley submit job.yaml" : "medley quota set TENANT CHIP DEVICES"}>No tenant holds anything, waits for anything, or has a quota.</${Empty}>`}</${PlainTable}>
      <p class="quiet">A waiting job counts at the chip type it likes best. Held and quota in whole devices.</p>
    </section>
    <section aria-labelledby="queue-title"><h2 id="queue-title">The queue <small>${whole(waiting.length)} waiting</small></h2>
      <${PlainTable} caption="The queue" columns=${[["place", "number"], ["job"], ["tenant"], ["priority", "number"], ["devices", "number"], ["waits", "when"], ["why it waits", "wide"]]} rows=${inPlace(first, whys).map((row) => [
        whys.get(row.id)?.position ?? "",
        html`<a href=${routeTo(["jobs", row.id])}>${row.name}</a>`,
        row.tenant,
        row.priority,
        whole(row.devices),
        age((now - Date.parse(row.submitted_at)) / 1000),
        whys.get(row.id)?.reasons[0]?.text ?? html`<span class="quiet">${wantedChips(row.mix ?? row.chips)}</span>`,
      ])}>${jobs.state === "loaded" && html`<${Empty} command="medley submit job.yaml">Nobody waits.</${Empty}>`}</${PlainTable}>
      ${waiting.length > first.length && html`<p><a href="#/jobs?state=queued&sort=-priority">All ${whole(waiting.length)} that wait</a> <span class="quiet">Here: ${first.length} of the highest priority, the oldest first.</span></p>`}
    </section>
    ${may("show_utilisation_series") && may("show_usage") && html`<${SharesOverTime} me=${me} use=${use.data} />`}
  </div>`;
}

/** @param {import("../data/jobs.js").JobRow[]} waiting */
function inOrder(waiting) {
  return [...waiting].sort((a, b) => b.priority - a.priority || a.submitted_at.localeCompare(b.submitted_at));
}

/** By their place in the queue, where it is known. @param {import("../data/jobs.js").JobRow[]} rows @param {Map<string, any>} whys */
function inPlace(rows, whys) {
  const place = (/** @type {{id: string}} */ row) => whys.get(row.id)?.position ?? Infinity;
  return [...rows].sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
}

/** Why some jobs wait, asked for one after the other, and again from time to time. @param {string[]} ids @returns {Map<string, any>} */
function useWhys(ids) {
  const [whys, setWhys] = useState(/** @type {Map<string, any>} */ (new Map()));
  const key = ids.join();
  useEffect(() => {
    const ending = new AbortController();
    const load = async () => {
      for (const id of ids) {
        if (ending.signal.aborted || document.hidden) return;
        const why = await read(`v1/jobs/${id}/why`, {}, ending.signal).catch(() => null);
        if (why !== null && !ending.signal.aborted) setWhys((before) => new Map(before).set(id, why));
      }
    };
    void load();
    const timer = setInterval(load, EVERY_MS);
    return () => (ending.abort(), clearInterval(timer));
  }, [key]);
  return whys;
}

/**
 * One row per tenant and chip type of which something is held, waited for or limited.
 * @param {any} use @param {import("../data/jobs.js").JobRow[]} waiting
 */
export function shares(use, waiting) {
  /** @type {Map<string, {tenant: string, chip: string, held: number, quota: number | null, waiting: number, asked: number, oldest: number | null}>} */
  const rows = new Map();
  const rowOf = (/** @type {string} */ tenant, /** @type {string} */ chip) => {
    const key = `${tenant} ${chip}`;
    const row = rows.get(key) ?? { tenant, chip, held: 0, quota: null, waiting: 0, asked: 0, oldest: null };
    rows.set(key, row);
    return row;
  };
  for (const { tenant, chip, devices_held: held, quota } of use?.tenants ?? []) Object.assign(rowOf(tenant, chip), { held, quota });
  for (const job of waiting) {
    const row = rowOf(job.tenant, job.chips[0] ?? "no devices");
    row.waiting++;
    row.asked += job.devices;
    row.oldest = Math.min(row.oldest ?? Infinity, Date.parse(job.submitted_at));
  }
  return [...rows.values()].sort((a, b) => a.tenant.localeCompare(b.tenant) || a.chip.localeCompare(b.chip));
}
