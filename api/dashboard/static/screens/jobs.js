// @ts-check
/** Jobs: all of them in one table that can be narrowed, sorted, grouped, chosen from, cancelled and given another priority. An array is one line. */

import { MOST_ROWS, jobs } from "../data/jobs.js";
import { useChanges } from "../data/watching.js";
import { CancelDialog } from "../parts/cancel.js";
import { ColumnChoice, shownColumns } from "../parts/job_columns.js";
import { PriorityDialog } from "../parts/priority.js";
import { Choice, Empty, Field, Freshness, Trouble } from "../parts/small.js";
import { LongTable } from "../parts/table.js";
import { refine, routeTo } from "../route.js";
import { html, useEffect, useMemo, useState } from "../view.js";
import { counted, whole } from "../words/amounts.js";
import { folded, jobsOf, lineName, placeInArray, standings, statesText } from "../words/arrays.js";
import { grouped, headText } from "../words/groups.js";
import { FINAL, STATES } from "../words/jobs.js";

/** @typedef {import("../data/jobs.js").JobRow} JobRow */
/** @typedef {JobRow | import("../words/arrays.js").ArrayRow} Line */
/** @typedef {{state: string, tenant: string, chip: string, text: string, array: string}} Where */

const WHICH = [["", "any state"], ["live", "not finished"], ["queued", "queued"], ["placed", "placed"], ["starting", "starting"], ["running", "running"], ["stopping", "stopping"], ["succeeded", "succeeded"], ["failed", "failed"], ["cancelled", "cancelled"]];

const LINES = [["", "a line each"], ["each", "job by job"]];

const GROUPS = [["", "none"], ["state", "state"], ["tenant", "tenant"]];

/** @type {Record<string, (row: Line) => string | number>} */
const KEYS = {
  name: (row) => row.name,
  tenant: (row) => row.tenant,
  kind: (row) => row.kind,
  state: (row) => STATES.indexOf(row.state),
  by: (row) => row.submitted_by,
  priority: (row) => row.priority,
  workers: (row) => row.workers,
  devices: (row) => row.devices,
  age: (row) => -Date.parse(row.submitted_at),
};

/** The jobs that meet the filters. @param {JobRow[]} rows @param {Where} where @returns {JobRow[]} */
export function wantedRows(rows, { state, tenant, chip, text, array }) {
  const wanted = text.toLowerCase();
  return rows.filter((row) => {
    if (array && row.array !== array) return false;
    if (state && (state === "live" ? FINAL.has(row.state) : row.state !== state)) return false;
    if ((tenant && row.tenant !== tenant) || (chip && !row.chips.includes(chip))) return false;
    return !wanted || [row.name, row.id, row.array ?? "", row.submitted_by.toLowerCase()].some((text) => text.includes(wanted));
  });
}

/** Lines in order; equal ones come newest first. @param {Line[]} lines @param {string} sort @returns {Line[]} */
export function sorted(lines, sort) {
  const key = KEYS[sort.replace(/^-/, "")] ?? KEYS.age;
  const way = sort.startsWith("-") ? -1 : 1;
  const keyed = lines.map((row) => ({ row, key: key(row) }));
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
  const where = { state: query("state"), tenant: query("tenant"), chip: query("chip"), text: query("q"), array: query("array") };
  const sort = query("sort") || "age";
  const all = useMemo(() => [...jobs.rows.values()], [jobs.version]);
  const standing = useMemo(() => standings(all), [all]);
  const isFolded = !where.array && query("arrays") !== "each";
  const found = useMemo(() => wantedRows(all, where), [all, JSON.stringify(where)]);
  const lines = useMemo(() => sorted(isFolded ? folded(found, standing) : found, sort), [found, isFolded, sort]);
  const by = GROUPS.find(([key]) => key && key === query("group"))?.[0] ?? "";
  const rows = useMemo(() => (by ? grouped(lines, /** @type {any} */ (by), sort) : lines), [lines, by, sort]);
  const options = useMemo(() => ({ tenants: distinct(all.map((row) => row.tenant)), chips: distinct(all.flatMap((row) => row.chips)) }), [all]);
  const endable = useMemo(() => lines.filter((row) => chosen.has(row.id)).flatMap(jobsOf).filter((row) => !FINAL.has(row.state)), [lines, chosen]);
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => refine(route, { [name]: value });
  const here = Object.fromEntries(route.query);
  const hrefOf = (/** @type {Line | import("../words/groups.js").Head} */ row) => {
    if ("below" in row) return routeTo(["jobs"], { ...here, [by]: row.name, group: null });
    return "members" in row ? routeTo(["jobs"], { ...here, array: row.id }) : routeTo(["jobs", row.id]);
  };
  const hasTenants = options.tenants.length > 1 || !me.tenant;
  return html`<div class="screen full">
    <div class="head"><h1>Jobs</h1><${Freshness} at=${jobs.at} error=${jobs.error} followsFeed=${true} />
      <div class="controls">
        <${Choice} label="state" value=${where.state} options=${WHICH} onChange=${set("state")} />
        ${hasTenants && html`<${Choice} label="tenant" value=${where.tenant} options=${[["", "all"], ...options.tenants.map((one) => [one, one])]} onChange=${set("tenant")} />`}
        <${Choice} label="chip" value=${where.chip} options=${[["", "all"], ...options.chips.map((one) => [one, one])]} onChange=${set("chip")} />
        ${standing.size > 0 && !where.array && html`<${Choice} label="arrays" value=${query("arrays")} options=${LINES} onChange=${set("arrays")} />`}
        <${Choice} label="group by" value=${by} options=${hasTenants ? GROUPS : GROUPS.slice(0, -1)} onChange=${set("group")} />
        <${ColumnChoice} chosen=${query("columns")} hasTenants=${hasTenants} onChange=${set("columns")} />
        <${Field} label="find" type="search" value=${where.text} placeholder="name, id or person" onInput=${(/** @type {any} */ event) => set("q")(event.target.value)} />
      </div>
    </div>
    <${Trouble} error=${jobs.error} retry=${() => jobs.load()} />
    <div class="table-head">
      <span role="status">${whole(found.length)}${found.length === all.length ? "" : ` of ${whole(all.length)}`} jobs${lines.length < found.length ? ` in ${counted(lines.length, "line", "lines")}` : ""}${jobs.state === "loading" ? ", loading …" : ""}${jobs.hasOlder ? ` (finished ones: the newest ${whole(MOST_ROWS)}; older ones by medley ls --all)` : ""}</span>
      ${may("cancel_job") && html`<button disabled=${!endable.length} onClick=${() => setAsking("cancel")}>${endable.length ? `Cancel ${whole(endable.length)} …` : "Cancel …"}</button>`}
      ${may("change_job") && html`<button disabled=${!endable.length} onClick=${() => setAsking("priority")}>Priority …</button>`}
      ${where.array && html`<span>of array <b>${nameOfArray(all, where.array)}</b> (${statesText(standing.get(where.array) ?? {})}), <a href=${routeTo(["jobs"], { ...here, array: null })}>all jobs</a></span>`}
      ${chosen.size > 0 && html`<button class="small" onClick=${() => setChosen(new Set())}>choose none</button>`}
    </div>
    ${jobs.state === "loaded" && !lines.length
      ? html`<${Empty} command=${where.array ? `medley ls --array ${where.array}` : all.length ? "medley ls --all" : "medley submit examples/jobs/first-training.yaml"}>${all.length ? "No job meets these filters." : "There are no jobs yet."}</${Empty}>`
      : html`<${LongTable} label="Jobs" rows=${rows} columns=${shownColumns(query("columns"), hasTenants)} sort=${sort} onSort=${set("sort")} hrefOf=${hrefOf} nameOf=${lineName} headText=${headText}
          chosen=${chosen} onChoose=${may("cancel_job") || may("change_job") ? setChosen : undefined} />`}
    ${asking === "cancel" && html`<${CancelDialog} rows=${endable} onClose=${() => (setAsking(""), setChosen(new Set()))} />`}
    ${asking === "priority" && html`<${PriorityDialog} rows=${endable} onClose=${() => (setAsking(""), setChosen(new Set()))} />`}
  </div>`;
}

/** @param {JobRow[]} rows @param {string} array @returns {string} */
function nameOfArray(rows, array) {
  const member = rows.find((row) => row.array === array);
  return member ? placeInArray(member)[0] : array;
}

/** @param {string[]} words @returns {string[]} */
function distinct(words) {
  return [...new Set(words)].sort();
}
