// @ts-check
/** Jobs: all of them in one table that can be narrowed, sorted, chosen from, cancelled and given another priority. */

import { MOST_ROWS, jobs } from "../data/jobs.js";
import { useChanges } from "../data/watching.js";
import { CancelDialog } from "../parts/cancel.js";
import { PriorityDialog } from "../parts/priority.js";
import { Ago, Choice, Empty, Field, Freshness, StateMark, Trouble } from "../parts/small.js";
import { LongTable } from "../parts/table.js";
import { refine, routeTo } from "../route.js";
import { html, useEffect, useMemo, useState } from "../view.js";
import { whole } from "../words/amounts.js";
import { FINAL, STATES, situation } from "../words/jobs.js";

/** @typedef {import("../data/jobs.js").JobRow} JobRow */

const GROUPS = [["", "any state"], ["live", "not finished"], ["queued", "queued"], ["placed", "placed"], ["starting", "starting"], ["running", "running"], ["stopping", "stopping"], ["succeeded", "succeeded"], ["failed", "failed"], ["cancelled", "cancelled"]];

/** @type {Record<string, (row: JobRow) => string | number>} */
const KEYS = {
  name: (row) => row.name,
  tenant: (row) => row.tenant,
  state: (row) => STATES.indexOf(row.state),
  by: (row) => row.submitted_by,
  priority: (row) => row.priority,
  workers: (row) => row.workers,
  devices: (row) => row.devices,
  age: (row) => -Date.parse(row.submitted_at),
};

/**
 * The rows to show, in order. Equal ones come newest first.
 * @param {JobRow[]} rows @param {{state: string, tenant: string, chip: string, text: string}} where @param {string} sort
 * @returns {JobRow[]}
 */
export function chosenRows(rows, { state, tenant, chip, text }, sort) {
  const wanted = text.toLowerCase();
  const found = rows.filter((row) => {
    if (state && (state === "live" ? FINAL.has(row.state) : row.state !== state)) return false;
    if ((tenant && row.tenant !== tenant) || (chip && !row.chips.includes(chip))) return false;
    return !wanted || row.name.includes(wanted) || row.id.includes(wanted) || row.submitted_by.toLowerCase().includes(wanted);
  });
  const key = KEYS[sort.replace(/^-/, "")] ?? KEYS.age;
  const way = sort.startsWith("-") ? -1 : 1;
  const keyed = found.map((row) => ({ row, key: key(row) }));
  keyed.sort((a, b) => (a.key < b.key ? -way : a.key > b.key ? way : a.row.id < b.row.id ? 1 : -1));
  return keyed.map(({ row }) => row);
}

/** @param {{may: (name: string) => boolean, me: any, route: import("../route.js").Route}} props */
export function Jobs({ may, me, route }) {
  useEffect(() => jobs.want(), []);
  useChanges(jobs);
  const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
  const [asking, setAsking] = useState(/** @type {"" | "cancel" | "priority"} */ (""));
  const query = (/** @type {string} */ name) => route.query.get(name) ?? "";
  const where = { state: query("state"), tenant: query("tenant"), chip: query("chip"), text: query("q") };
  const sort = query("sort") || "age";
  const all = useMemo(() => [...jobs.rows.values()], [jobs.version]);
  const rows = useMemo(() => chosenRows(all, where, sort), [all, JSON.stringify(where), sort]);
  const options = useMemo(() => ({ tenants: distinct(all.map((row) => row.tenant)), chips: distinct(all.flatMap((row) => row.chips)) }), [all]);
  const endable = useMemo(() => rows.filter((row) => chosen.has(row.id) && !FINAL.has(row.state)), [rows, chosen]);
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => refine(route, { [name]: value });
  const hasTenants = options.tenants.length > 1 || !me.tenant;
  return html`<div class="screen full">
    <div class="head"><h1>Jobs</h1><${Freshness} at=${jobs.at} error=${jobs.error} followsFeed=${true} />
      <div class="controls">
        <${Choice} label="state" value=${where.state} options=${GROUPS} onChange=${set("state")} />
        ${hasTenants && html`<${Choice} label="tenant" value=${where.tenant} options=${[["", "all"], ...options.tenants.map((one) => [one, one])]} onChange=${set("tenant")} />`}
        <${Choice} label="chip" value=${where.chip} options=${[["", "all"], ...options.chips.map((one) => [one, one])]} onChange=${set("chip")} />
        <${Field} label="find" type="search" value=${where.text} placeholder="name, id or person" onInput=${(/** @type {any} */ event) => set("q")(event.target.value)} />
      </div>
    </div>
    <${Trouble} error=${jobs.error} retry=${() => jobs.load()} />
    <div class="table-head">
      <span role="status">${whole(rows.length)}${rows.length === all.length ? "" : ` of ${whole(all.length)}`} jobs${jobs.state === "loading" ? ", loading …" : ""}${jobs.hasOlder ? ` (finished ones: the newest ${whole(MOST_ROWS)}; older ones by medley ls --all)` : ""}</span>
      ${may("cancel_job") && html`<button disabled=${!endable.length} onClick=${() => setAsking("cancel")}>${endable.length ? `Cancel ${whole(endable.length)} …` : "Cancel …"}</button>`}
      ${may("change_job") && html`<button disabled=${!endable.length} onClick=${() => setAsking("priority")}>Priority …</button>`}
      ${chosen.size > 0 && html`<button class="small" onClick=${() => setChosen(new Set())}>choose none</button>`}
    </div>
    ${jobs.state === "loaded" && !rows.length
      ? html`<${Empty} command=${all.length ? "medley ls --all" : "medley submit examples/jobs/first-training.yaml"}>${all.length ? "No job meets these filters." : "There are no jobs yet."}</${Empty}>`
      : html`<${LongTable} label="Jobs" rows=${rows} columns=${columns(hasTenants)} sort=${sort} onSort=${set("sort")} hrefOf=${hrefOf} nameOf=${nameOf}
          chosen=${chosen} onChoose=${may("cancel_job") || may("change_job") ? setChosen : undefined} />`}
    ${asking === "cancel" && html`<${CancelDialog} rows=${endable} onClose=${() => (setAsking(""), setChosen(new Set()))} />`}
    ${asking === "priority" && html`<${PriorityDialog} rows=${endable} onClose=${() => (setAsking(""), setChosen(new Set()))} />`}
  </div>`;
}

const hrefOf = (/** @type {JobRow} */ row) => routeTo(["jobs", row.id]);
const nameOf = (/** @type {JobRow} */ row) => row.name;

/** @param {string[]} words @returns {string[]} */
function distinct(words) {
  return [...new Set(words)].sort();
}

/** @param {boolean} hasTenants @returns {import("../parts/table.js").Column[]} */
function columns(hasTenants) {
  const tenant = { key: "tenant", title: "tenant", sortable: true, kind: "medium", width: "9em", cell: (/** @type {JobRow} */ row) => row.tenant };
  return [
    { key: "name", title: "name", sortable: true, kind: "name", width: "17em", cell: (row) => row.name },
    ...(hasTenants ? [tenant] : []),
    { key: "state", title: "state", sortable: true, kind: "state-cell", width: "8.6em", cell: (row) => html`<${StateMark} state=${row.state} />` },
    { key: "priority", title: "priority", sortable: true, kind: "number wide", width: "5.2em", cell: (row) => row.priority },
    { key: "workers", title: "workers", sortable: true, kind: "number wide", width: "5.4em", cell: (row) => row.workers },
    { key: "devices", title: "devices", sortable: true, kind: "number medium", width: "5.4em", cell: (row) => row.devices },
    { key: "chips", title: "chips", kind: "wide", width: "13em", cell: (row) => row.chips.join(", ") },
    { key: "by", title: "submitted by", sortable: true, kind: "wide", width: "10em", cell: (row) => row.submitted_by },
    { key: "age", title: "submitted", sortable: true, kind: "when", width: "7.4em", cell: (row) => html`<${Ago} at=${row.submitted_at} />` },
    { key: "fares", title: "how it fares", kind: "roomy", cell: (row) => situation(row) },
  ];
}
