// @ts-check
/** Nodes: every device as a small square, by rack, chip type or cluster. */

import { jobs } from "../data/jobs.js";
import { nodes } from "../data/nodes.js";
import { useChanges, useNow } from "../data/watching.js";
import { DeviceGrid } from "../parts/grid.js";
import { Choice, Empty, Figures, Field, Freshness, Trouble } from "../parts/small.js";
import { refine } from "../route.js";
import { html, useEffect, useMemo } from "../view.js";
import { whole } from "../words/amounts.js";
import { devicesOf, groupNodes, nodeId, usesOf, workOf } from "../words/nodes.js";

const WORK_MS = 10_000; // so often devices are coloured anew by what is done with them
const MOST_TENANTS = 7; // as many as have a look of their own

/** @param {{me: any, route: import("../route.js").Route}} props */
export function Nodes({ me, route }) {
  useEffect(() => nodes.open(me.tenant !== null), []);
  useEffect(() => jobs.want(), []);
  useChanges(nodes);
  const query = (/** @type {string} */ name, other = "") => route.query.get(name) ?? other;
  const [by, colour, chip, text] = [query("by", "chip"), query("colour", "use"), query("chip"), query("q")];
  const all = useMemo(() => [...nodes.nodes.values()], [nodes.version]);
  const shown = useMemo(() => all.filter((node) => fits(node, chip, text)), [all, chip, text]);
  const groups = useMemo(() => groupNodes(shown, /** @type {any} */ (by)), [shown, by]);
  const tenants = useMemo(() => biggestTenants(shown), [shown]);
  const now = useNow(WORK_MS);
  const work = useMemo(() => (colour === "work" ? workOfAll(now) : NO_WORK), [colour, now, jobs.state]);
  const chips = [...new Set(all.flatMap((node) => node.devices.map((/** @type {any} */ group) => group.chip)))].sort();
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => refine(route, { [name]: value });
  return html`<div class="screen">
    <div class="head"><h1>Nodes</h1><${Freshness} at=${nodes.at} error=${nodes.error} />
      <div class="controls">
        <${Choice} label="by" value=${by} options=${[["chip", "chip type and rack"], "rack", "cluster"]} onChange=${set("by")} />
        <${Choice} label="colour" value=${colour} options=${["use", "work", "tenant", "state"]} onChange=${set("colour")} />
        <${Choice} label="chip" value=${chip} options=${[["", "all"], ...chips.map((one) => [one, one])]} onChange=${set("chip")} />
        <${Field} label="find" type="search" value=${text} placeholder="node, job, tenant" onInput=${(/** @type {any} */ event) => set("q")(event.target.value)} />
      </div>
    </div>
    <${Trouble} error=${nodes.error} retry=${() => nodes.load()} />
    <${Sums} shown=${shown} />
    <${Legend} colour=${colour} tenants=${tenants} />
    ${nodes.state === "loaded" && !shown.length && html`<${Empty} command=${all.length ? "medley nodes" : "medley clusters"}>${all.length ? "No node meets these filters." : "No cluster has reported its nodes yet."}</${Empty}>`}
    ${nodes.state === "loading" && !all.length && html`<p class="quiet">loading …</p>`}
    <${DeviceGrid} groups=${groups} colour=${colour} tenants=${tenants} work=${work} nameOf=${jobName} />
  </div>`;
}

/** @param {string} job @returns {string} */
export function jobName(job) {
  return jobs.rows.get(job)?.name ?? `job ${job}`;
}

/** @type {Map<string, string>} */
const NO_WORK = new Map();

/** What each job that holds something does with it. @param {number} now in ms @returns {Map<string, string>} */
function workOfAll(now) {
  return new Map([...jobs.rows.values()].filter((row) => ["placed", "starting", "running", "stopping"].includes(row.state)).map((row) => [row.id, workOf(row, now)]));
}

/** @param {any} node @param {string} chip @param {string} text @returns {boolean} */
function fits(node, chip, text) {
  if (chip && !node.devices.some((/** @type {any} */ group) => group.chip === chip)) return false;
  if (!text) return true;
  const words = [nodeId(node), node.state, ...node.holdings.flatMap((/** @type {any} */ one) => [one.tenant, one.job ?? "", one.job ? jobName(one.job) : ""])];
  return words.some((word) => word.toLowerCase().includes(text.toLowerCase()));
}

/** @param {any[]} shown @returns {string[]} */
function biggestTenants(shown) {
  /** @type {Map<string, number>} */
  const held = new Map();
  for (const node of shown) {
    for (const one of node.holdings) held.set(one.tenant, (held.get(one.tenant) ?? 0) + one.devices + (one.share ? 1 : 0));
  }
  return [...held].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, MOST_TENANTS).map(([tenant]) => tenant);
}

/** @param {{shown: any[]}} props */
function Sums({ shown }) {
  const sums = useMemo(() => {
    const sum = { free: 0, held: 0, shared: 0, foreign: 0, unavailable: 0 };
    for (const node of shown) {
      const uses = usesOf(devicesOf(node));
      for (const use of /** @type {(keyof typeof sum)[]} */ (Object.keys(sum))) sum[use] += uses[use];
    }
    return sum;
  }, [shown]);
  const odd = shown.filter((node) => node.state !== "ready").length;
  const items = [["nodes", whole(shown.length), odd ? `${odd} not ready` : ""], ["held", whole(sums.held), "devices"], ["shared", whole(sums.shared), ""], ["free", whole(sums.free), ""], ["take nothing new", whole(sums.unavailable), ""], ["not by Medley", whole(sums.foreign), ""]];
  return html`<${Figures} items=${items.filter(([, value], index) => index < 2 || value !== "0" || index === 3)} />`;
}

/** @param {{colour: string, tenants: string[]}} props */
function Legend({ colour, tenants }) {
  const uses = [["held", "held"], ["shared", "shared"], ["free", "free"], ["unavailable", "takes nothing new"], ["foreign", "not by Medley"]];
  const works = [["work-busy", "busy: reports progress"], ["work-idle", "held, and idle"], ["work-unreported", "held, reports nothing"], ["other", "of another tenant"], ["free", "free"]];
  if (colour === "work") return html`<${Looks} items=${works} />`;
  const items = colour === "tenant"
    ? [...tenants.map((tenant, index) => [`tenant-${index}`, tenant]), ["other", "other tenants"], ["free", "free"]]
    : colour === "state" ? [["ok", "ready"], ["degraded", "degraded"], ["suspect", "suspect"], ["drained", "drained"], ["gone", "gone"]] : uses;
  return html`<${Looks} items=${items} />`;
}

/** @param {{items: string[][]}} props */
function Looks({ items }) {
  return html`<ul class="legend" aria-label="what the colours mean">${items.map(([look, text]) => html`<li key=${text}><i class=${`device device-${look}`}></i>${text}</li>`)}</ul>`;
}
