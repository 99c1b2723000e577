// @ts-check
/** Overview: what there is, what of it is held and busy, who waits, and what happened last. */

import { feed } from "../data/feed.js";
import { MOST_ROWS, jobs } from "../data/jobs.js";
import { keepSample } from "../data/series.js";
import { useAsked, useChanges, useNow } from "../data/watching.js";
import { ChipTypes, useWork } from "../parts/chips.js";
import { Ago, Empty, Figures, Freshness, PlainTable, StateMark, Trouble, UseBar } from "../parts/small.js";
import { UtilisationChart } from "../parts/utilisation.js";
import { routeTo } from "../route.js";
import { html, useEffect, useMemo } from "../view.js";
import { age, memory, percent, whole } from "../words/amounts.js";
import { STATES } from "../words/jobs.js";

const MOST_EVENTS = 14;

/** @param {{may: (name: string) => boolean}} props */
export function Overview({ may }) {
  const use = useAsked("v1/utilisation", { concerns: ({ kind }) => ["group-placed", "group-moved", "group-resized", "resize-advanced", "node-seen"].includes(kind) });
  const ready = useAsked("readyz", { everyMs: 5000 });
  useEffect(() => jobs.want(), []);
  useChanges(jobs);
  useEffect(() => use.data && keepSample(use.data, Date.now()), [use.data]);
  const pools = use.data?.pools ?? [];
  const work = useWork(may("show_utilisation_series"));
  const waiting = useMemo(() => [...jobs.rows.values()].filter((row) => row.state === "queued"), [jobs.version]);
  const now = useNow(5000);
  return html`<div class="screen">
    <div class="head"><h1>Overview</h1><${Freshness} at=${use.at} error=${use.error} /></div>
    <${Trouble} error=${use.error} retry=${use.reload} />
    <${Totals} pools=${pools} ready=${ready} work=${work} waiting=${waiting} now=${now} />
    <${UtilisationChart} hasRoute=${may("show_utilisation_series")} use=${use.data} />
    <div class="columns">
      <${ChipTypes} pools=${pools} waiting=${waiting} work=${work} now=${now} />
      <section aria-labelledby="states-title"><h2 id="states-title">Jobs by state</h2><${States} /></section>
      <section class="span" aria-labelledby="events-title"><h2 id="events-title">What happened last</h2><${Events} /></section>
      <section class="span" aria-labelledby="pools-title"><h2 id="pools-title">Pools</h2>
        <${PlainTable} caption="Pools" rows=${pools.map(poolRow)} columns=${[["pool"], ["memory", "number"], ["nodes", "number"], ["devices", "number"], ["held", "number"], ["free", "number"], ["drained", "number"], ["in use", "bar-cell"]]}>
          ${use.data && html`<${Empty} command="medley clusters">No cluster has reported its nodes yet.</${Empty}>`}</${PlainTable}>
      </section>
    </div>
  </div>`;
}

/** @param {any} pool */
function poolRow(pool) {
  return [
    html`<a href=${routeTo(["nodes"], { chip: pool.chip })}>${pool.name}</a>`,
    memory(pool.device_memory_mib),
    whole(pool.nodes),
    whole(pool.devices),
    whole(pool.devices_held),
    whole(pool.devices_free),
    whole(pool.devices_drained),
    html`<${UseBar} held=${pool.devices_held} of=${pool.devices} other=${pool.devices_foreign + pool.devices_drained} label="devices held" />`,
  ];
}

/** @param {{pools: any[], ready: import("../data/watching.js").Asked, work: ReturnType<typeof useWork>, waiting: import("../data/jobs.js").JobRow[], now: number}} props */
function Totals({ pools, ready, work, waiting, now }) {
  const sum = (/** @type {string} */ key) => pools.reduce((so, pool) => so + pool[key], 0);
  const devices = sum("devices");
  const worked = (/** @type {"busy" | "idle"} */ what) => (work ? [...work.values()].reduce((/** @type {number | null} */ so, one) => (one[what] === null ? so : (so ?? 0) + one[what]), null) : null);
  const [busy, idle] = [worked("busy"), worked("idle")];
  const oldest = waiting.reduce((so, row) => Math.min(so, Date.parse(row.submitted_at)), Infinity);
  const running = [...jobs.rows.values()].filter((row) => row.state === "running").length;
  const failing = (ready.data?.checks ?? []).filter((/** @type {any} */ check) => !check.is_ok);
  const health = ready.error ? "not ready" : ready.data ? (failing.length ? `${failing.length} failing` : "ready") : "…";
  const leader = (ready.data?.checks ?? []).find((/** @type {any} */ check) => check.name === "leader");
  const items = [
    ["devices", whole(devices), `on ${whole(sum("nodes"))} nodes`],
    ["held", whole(sum("devices_held")), percent(sum("devices_held"), devices)],
    ["busy", busy === null ? "–" : whole(busy), busy === null ? "nobody measured" : "in the last minute"],
    ["idle but held", idle === null ? "–" : whole(idle), idle === null ? "" : "in the last minute"],
    ["free", whole(sum("devices_free")), percent(sum("devices_free"), devices)],
    ["drained", whole(sum("devices_drained")), "take nothing new"],
    ["not by Medley", whole(sum("devices_foreign")), "in use by others"],
    ["running", whole(running), running === 1 ? "job" : "jobs"],
    ["waiting", whole(waiting.length), waiting.length ? `the oldest for ${age((now - oldest) / 1000)}` : "nobody"],
    ["server", health, failing.map((/** @type {any} */ check) => `${check.name}: ${check.detail}`).join("; ") || ready.error?.message || leader?.detail],
  ];
  return html`<${Figures} items=${items} />`;
}

function States() {
  if (jobs.state === "idle" || (jobs.state === "loading" && !jobs.rows.size)) return html`<p class="quiet">loading …</p>`;
  if (!jobs.rows.size) return html`<${Empty} command="medley submit examples/jobs/first-training.yaml">Nobody has submitted a job yet.</${Empty}>`;
  /** @type {Record<string, number>} */
  const counts = {};
  for (const row of jobs.rows.values()) counts[row.state] = (counts[row.state] ?? 0) + 1;
  const rows = STATES.filter((state) => counts[state]).map((state) => [
    html`<a href=${routeTo(["jobs"], { state })}><${StateMark} state=${state} /></a>`,
    whole(counts[state]),
  ]);
  return html`<${PlainTable} caption="Jobs by state" columns=${[["state"], ["jobs", "number"]]} rows=${rows} />
    ${jobs.hasOlder && html`<p class="quiet">Of the newest ${whole(MOST_ROWS)} jobs, and of all that are not finished.</p>`}`;
}

function Events() {
  useChanges(feed);
  if (!feed.recent.length) return html`<p class="quiet">Nothing yet. <code>medley events -f</code> shows the same in a terminal.</p>`;
  const names = (/** @type {string} */ id) => jobs.rows.get(id)?.name ?? id;
  const told = feed.recent.filter((event) => event.kind !== "progress-reported").slice(0, MOST_EVENTS);
  return html`<${PlainTable} caption="What happened last" columns=${[["when", "when"], ["tenant"], ["job"], ["what", "wide"]]} rows=${told.map((event) => [
    html`<${Ago} at=${event.at} />`,
    event.tenant ?? "",
    event.job && html`<a href=${routeTo(["jobs", event.job])}>${names(event.job)}</a>`,
    event.text,
  ])} />`;
}
