// @ts-check
/** Tenants' shares over time: device-hours within a range, and what was held, stacked, against quotas. */

import { RANGES, STEPS, total } from "../data/series.js";
import { useAsked } from "../data/watching.js";
import { routeTo } from "../route.js";
import { html, useState } from "../view.js";
import { figure, percent, whole } from "../words/amounts.js";
import { Chart } from "./chart.js";
import { Choice, Empty, PlainTable, Trouble, UseBar } from "./small.js";
import { Held, RangeChoice, YoungServer, useSeries } from "./utilisation.js";

/** @typedef {import("../data/series.js").Line} Line */

const LOOKS = 6; // tenants with a colour and a pattern of their own; the others are one area
const EVERY_MS = 60_000;

/** @param {{me: any, use: any}} props `use` is an answer of `v1/utilisation`, which has the quotas */
export function SharesOverTime({ me, use }) {
  const [range, setRange] = useState("");
  const [step, setStep] = useState("");
  const [picked, setTenant] = useState("");
  const [chip, setChip] = useState("");
  const wanted = { range: Number(range), step: Number(step), hasRoute: true };
  const tenant = me.tenant ?? picked;
  const tenants = useSeries({ ...wanted, by: "tenant" });
  const all = tenants.series;
  const own = useSeries(tenant && all ? { ...wanted, range: all.range, by: "chip", tenant } : null);
  const { series, error } = tenant ? own : tenants;
  const names = [...new Set([...(all?.lines ?? []).map(({ name }) => name), ...(use?.tenants ?? []).map((/** @type {any} */ one) => one.tenant)])].sort();
  const chips = tenant && series ? chipsOf(series.lines, use, tenant) : [];
  const chosenChip = chips.includes(chip) ? chip : "";
  return html`<section aria-labelledby="over-time-title">
    <div class="head"><h2 id="over-time-title">Shares over time</h2><div class="controls">
      ${!me.tenant && html`<${Choice} label="tenant" value=${picked} options=${[["", "all"], ...names.map((one) => [one, one])]} onChange=${setTenant} />`}
      ${tenant && html`<${Choice} label="chip" value=${chosenChip} options=${[["", "all"], ...chips.map((one) => [one, one])]} onChange=${setChip} />`}
      <${RangeChoice} chosen=${range} series=${all} onChange=${setRange} />
      <${Choice} label="step" value=${step} options=${STEPS} onChange=${setStep} />
    </div></div>
    <${Trouble} error=${error ?? tenants.error} />
    ${all && html`<${YoungServer} series=${all} />`}
    ${series && (tenant ? html`<${OneTenant} series=${series} tenant=${tenant} chip=${chosenChip} use=${use} />` : html`<${AllTenants} series=${series} use=${use} />`)}
    ${all && html`<${DeviceHours} range=${all.range} hasTenants=${!me.tenant} />`}
  </section>`;
}

/** @param {{series: import("./utilisation.js").Loaded, use: any}} props */
function AllTenants({ series, use }) {
  const { times, lines } = series;
  const devices = (use?.pools ?? []).reduce((/** @type {number} */ so, /** @type {any} */ pool) => so + pool.devices, 0);
  const areas = stacked(lines, times.length);
  if (areas.every(({ values }) => values.every((value) => value === null))) return html`<p class="empty">No tenant held anything in this time.</p>`;
  return html`<${Chart} label="Devices held by each tenant over time" positions=${times} series=${areas} format=${whole} most=${0} leastTick=${1} />
    <p class="quiet">Devices held, one tenant on the other${devices ? `, of ${whole(devices)} there are now` : ""}. Choose a tenant to see it against its quota.</p>`;
}

/** @param {{series: import("./utilisation.js").Loaded, tenant: string, chip: string, use: any}} props */
function OneTenant({ series, tenant, chip, use }) {
  const { times, lines, origin } = series;
  const line = lines.find(({ name }) => name === chip) ?? total(chip ? [] : lines, times.length);
  const { quota, unlimited } = quotaOf(use, tenant, chip ? [chip] : chipsOf(lines, use, tenant));
  return html`<${Held} times=${times} origin=${origin} of=${chip ? `${tenant}, ${chip}` : tenant} line=${{ ...line, capacity: times.map(() => quota) }} limit="quota now" />
    ${quota === null && html`<p class="quiet">${unlimited.length ? `No limit on ${unlimited.join(", ")}${chip ? "" : ": choose a chip type to see it against its quota"}.` : "It has no quota."}</p>`}`;
}

/** @param {{range: number, hasTenants: boolean}} props */
function DeviceHours({ range, hasTenants }) {
  const [by, setBy] = useState("tenant");
  const query = { by: by === "tenant" ? ["tenant"] : ["tenant", by] };
  const accounts = useAsked("v1/usage", { query, lastS: range, everyMs: EVERY_MS });
  const told = (accounts.data?.by ?? []).filter((/** @type {string} */ one) => one !== "tenant");
  const items = accounts.data?.items ?? [];
  const all = items.reduce((/** @type {number} */ so, /** @type {any} */ one) => so + one.chip_hours, 0);
  const words = RANGES.find(([one]) => Number(one) === range)?.[1];
  return html`<div class="head"><h3 id="hours-title">Device-hours, last ${words}</h3><div class="controls"><${Choice} label="by" value=${by} options=${[["tenant", "tenant"], ["chip", "tenant and chip"], ["user", "tenant and user"]]} onChange=${setBy} /></div></div>
    <${Trouble} error=${accounts.error} retry=${accounts.reload} />
    ${!accounts.data && !accounts.error && html`<p class="quiet">loading …</p>`}
    <${PlainTable} caption="Device-hours" columns=${[["tenant"], ...told.map((/** @type {string} */ one) => [one]), ["device-hours", "number"], ["of all", "bar-cell"], ["PFLOP/s-hours", "number"]]} rows=${[...items].sort((a, b) => b.chip_hours - a.chip_hours).map((one) => [
      html`<a href=${routeTo(["jobs"], { tenant: one.tenant })}>${one.tenant}</a>`,
      ...told.map((/** @type {string} */ part) => one[part]),
      figure(one.chip_hours),
      html`<${UseBar} held=${one.chip_hours} of=${all} label="device-hours" />`,
      `${one.is_estimate ? "about " : ""}${figure(one.compute_pflops_hours)}`,
    ])}>${accounts.data && html`<${Empty} command="medley usage --from 30d">Nobody held a device in this time.</${Empty}>`}</${PlainTable}>
    ${items.length > 0 && html`<p class="quiet">${figure(all)} device-hours in all${hasTenants ? "" : " of your tenant"}. <code>medley usage</code> has the same for any time, and as CSV.</p>`}`;
}

/** Areas of the tenants that held most; all others are one. @param {Line[]} lines most first @param {number} length @returns {import("./chart.js").Series[]} */
export function stacked(lines, length) {
  const [own, others] = lines.length > LOOKS ? [lines.slice(0, LOOKS - 1), lines.slice(LOOKS - 1)] : [lines, []];
  const shown = others.length ? [...own, { ...total(others, length), name: `${others.length} others` }] : own;
  return shown.map(({ name, allocated }, place) => ({ name, values: allocated, shape: "area", look: `look-tenant-${place}` }));
}

/**
 * How many devices a tenant may hold of some chip types together; null where one of them has no limit.
 * @param {any} use @param {string} tenant @param {string[]} chips @returns {{quota: number | null, unlimited: string[]}}
 */
export function quotaOf(use, tenant, chips) {
  const limits = new Map((use?.tenants ?? []).filter((/** @type {any} */ one) => one.tenant === tenant && one.quota !== null).map((/** @type {any} */ one) => [one.chip, one.quota]));
  const unlimited = chips.filter((chip) => !limits.has(chip));
  const quota = chips.length && !unlimited.length ? chips.reduce((so, chip) => so + limits.get(chip), 0) : null;
  return { quota, unlimited };
}

/** Chip types that a tenant held, holds or has a quota of. @param {Line[]} lines @param {any} use @param {string} tenant @returns {string[]} */
function chipsOf(lines, use, tenant) {
  const held = lines.filter(({ allocated }) => allocated.some(Boolean)).map(({ name }) => name);
  const now = (use?.tenants ?? []).filter((/** @type {any} */ one) => one.tenant === tenant).map((/** @type {any} */ one) => one.chip);
  return [...new Set([...held, ...now])].sort();
}
