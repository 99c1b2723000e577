// @ts-check
/** Utilisation over time, of all or of one pool, chip type or tenant; range and step are the reader's choice. */

import { RANGES, STEPS, loadSeries, total } from "../data/series.js";
import { html, useEffect, useState } from "../view.js";
import { age, percent, whole } from "../words/amounts.js";
import { Chart } from "./chart.js";
import { Choice, Trouble } from "./small.js";

const EVERY_MS = 30_000;

/** @typedef {import("../data/series.js").Series & {range: number, since: number | null}} Loaded */

/**
 * Series that are read again from time to time, and wherever they are not the server's when `use` changes.
 * @param {import("../data/series.js").Wanted | null} wanted null for nothing @param {any} [use] @returns {{series: Loaded | null, error: any}}
 */
export function useSeries(wanted, use = null) {
  const [found, setFound] = useState(/** @type {{series: Loaded | null, error: any}} */ ({ series: null, error: null }));
  useEffect(() => {
    if (wanted === null) return;
    const ending = new AbortController();
    const load = () =>
      loadSeries(wanted, ending.signal).then(
        (series) => ending.signal.aborted || setFound({ series, error: null }),
        (error) => ending.signal.aborted || setFound((before) => ({ ...before, error })),
      );
    void load();
    const timer = setInterval(() => document.hidden || void load(), EVERY_MS);
    return () => (ending.abort(), clearInterval(timer));
  }, [JSON.stringify(wanted), wanted?.hasRoute ? null : use]);
  return found;
}

/** The choice of a range; until the reader makes it, the one that shows something. @param {{chosen: string, series: Loaded | null, onChange: (range: string) => void}} props */
export function RangeChoice({ chosen, series, onChange }) {
  return html`<${Choice} label="range" value=${chosen || String(series?.range || RANGES[2][0])} options=${RANGES} onChange=${onChange} />`;
}

/** Why the range is not the usual one. @param {{series: Loaded}} props */
export function YoungServer({ series }) {
  if (series.since === null) return null;
  const [, words] = RANGES.find(([range]) => Number(range) === series.range) ?? ["", ""];
  return html`<p class="quiet">This server has measured for ${age((Date.now() - series.since) / 1000)}: the range shown is ${words}, not a day.</p>`;
}

/** @param {{hasRoute: boolean, use: any}} props `use` draws it anew where there is no route */
export function UtilisationChart({ hasRoute, use }) {
  const [by, setBy] = useState(/** @type {"pool" | "chip" | "tenant"} */ ("pool"));
  const [range, setRange] = useState("");
  const [step, setStep] = useState("");
  const [name, setName] = useState("");
  const { series, error } = useSeries({ by, range: Number(range), step: Number(step), hasRoute }, use);
  const names = series?.lines.map((line) => line.name) ?? [];
  const chosen = names.includes(name) ? name : "";
  return html`<section aria-labelledby="utilisation-title">
    <div class="head"><h2 id="utilisation-title">Utilisation over time</h2>
      <div class="controls">
        <${Choice} label="by" value=${by} options=${["pool", "chip", "tenant"]} onChange=${(/** @type {any} */ value) => (setBy(value), setName(""))} />
        <${Choice} label=${by} value=${chosen} options=${[["", "all"], ...names.map((one) => [one, one])]} onChange=${setName} />
        ${hasRoute && html`<${RangeChoice} chosen=${range} series=${series} onChange=${setRange} />
        <${Choice} label="step" value=${step} options=${STEPS} onChange=${setStep} />`}
      </div>
    </div>
    <${Trouble} error=${error} />
    ${series && html`<${YoungServer} series=${series} /><${Held} times=${series.times} origin=${series.origin} of=${chosen} line=${series.lines.find((one) => one.name === chosen) ?? total(series.lines, series.times.length)} />`}
  </section>`;
}

/**
 * What was held and how much of it worked, stacked, against what there is or may be held.
 * @param {{times: number[], origin: "api" | "page", of: string, line: import("../data/series.js").Line, limit?: string}} props `limit`: what the line's capacity is
 */
export function Held({ times, origin, of, line, limit = "there is" }) {
  if (times.length < 2) return html`<p class="empty">This chart begins now: it shows what this page sees from here on.</p>`;
  if (line.allocated.every((value) => value === null)) return html`<p class="empty">Nothing was measured in this time. The first figures of a new server come within two minutes.</p>`;
  const isMeasured = line.busy.some((value) => value !== null);
  const drawn = isMeasured
    ? [{ name: "busy", values: line.busy, shape: "area", look: "look-busy" }, { name: "idle but held", values: line.idle, shape: "area", look: "look-idle" }, { name: "held, not reported on", values: line.unreported, shape: "area", look: "look-unreported" }]
    : [{ name: "held", values: line.allocated, shape: "area", look: "look-busy" }];
  const most = Math.max(...line.capacity.map((value) => value ?? 0), 0);
  if (most) drawn.push({ name: limit, values: line.capacity, shape: "line", look: "look-capacity" });
  const text = (/** @type {number} */ value) => whole(value);
  const last = line.allocated.findLast((value) => value !== null);
  return html`<${Chart} label=${`Devices held of ${of || "all"} over time`} positions=${times} series=${drawn} format=${text} most=${most} leastTick=${1} />
    <p class="quiet">Devices. ${last !== null && last !== undefined && most ? `Held last: ${percent(last, most)}. ` : ""}${origin === "page" ? "Since this page was opened: this server keeps no series yet." : isMeasured ? "" : "No worker reports how busy it is."}</p>`;
}
