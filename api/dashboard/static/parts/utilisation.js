// @ts-check
/** Utilisation over time, of all or of one pool, chip type or tenant; range and step are the reader's choice. */

import { RANGES, STEPS, loadSeries, total } from "../data/series.js";
import { html, useEffect, useState } from "../view.js";
import { percent, whole } from "../words/amounts.js";
import { Chart } from "./chart.js";
import { Choice, Trouble } from "./small.js";

const EVERY_MS = 30_000;

/** @param {{hasRoute: boolean, use: any}} props `use` draws it anew where there is no route */
export function UtilisationChart({ hasRoute, use }) {
  const [by, setBy] = useState(/** @type {"pool" | "chip" | "tenant"} */ ("pool"));
  const [range, setRange] = useState("86400");
  const [step, setStep] = useState("");
  const [name, setName] = useState("");
  const [series, setSeries] = useState(/** @type {import("../data/series.js").Series | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    const ending = new AbortController();
    const load = () =>
      loadSeries({ by, range: Number(range), step: Number(step), hasRoute }, ending.signal).then(
        (found) => (setSeries(found), setError(null)),
        (problem) => ending.signal.aborted || setError(problem),
      );
    void load();
    const timer = setInterval(() => document.hidden || void load(), EVERY_MS);
    return () => (ending.abort(), clearInterval(timer));
  }, [by, range, step, hasRoute, hasRoute ? null : use]);
  const names = series?.lines.map((line) => line.name) ?? [];
  const chosen = names.includes(name) ? name : "";
  return html`<section aria-labelledby="utilisation-title">
    <div class="head"><h2 id="utilisation-title">Utilisation over time</h2>
      <div class="controls">
        <${Choice} label="by" value=${by} options=${["pool", "chip", "tenant"]} onChange=${(/** @type {any} */ value) => (setBy(value), setName(""))} />
        <${Choice} label=${by} value=${chosen} options=${[["", "all"], ...names.map((one) => [one, one])]} onChange=${setName} />
        ${hasRoute && html`<${Choice} label="range" value=${range} options=${RANGES} onChange=${setRange} />
        <${Choice} label="step" value=${step} options=${STEPS} onChange=${setStep} />`}
      </div>
    </div>
    <${Trouble} error=${error} />
    ${series && html`<${Lines} series=${series} chosen=${chosen} />`}
  </section>`;
}

/** @param {{series: import("../data/series.js").Series, chosen: string}} props */
function Lines({ series, chosen }) {
  const line = series.lines.find((one) => one.name === chosen) ?? total(series.lines, series.times.length);
  if (series.times.length < 2) return html`<p class="empty">This chart begins now: it shows what this page sees from here on.</p>`;
  if (line.allocated.every((value) => value === null)) return html`<p class="empty">Nothing was measured in this time. The first figures of a new server come within two minutes.</p>`;
  const isMeasured = line.busy.some((value) => value !== null);
  const drawn = isMeasured
    ? [{ name: "busy", values: line.busy, shape: "area", look: "look-busy" }, { name: "idle but held", values: line.idle, shape: "area", look: "look-idle" }, { name: "held, not reported on", values: line.unreported, shape: "area", look: "look-unreported" }]
    : [{ name: "held", values: line.allocated, shape: "area", look: "look-busy" }];
  const most = Math.max(...line.capacity.map((value) => value ?? 0), 0);
  if (most) drawn.push({ name: "there is", values: line.capacity, shape: "line", look: "look-capacity" });
  const text = (/** @type {number} */ value) => whole(value);
  const last = line.allocated.findLast((value) => value !== null);
  return html`<${Chart} label=${`Devices held of ${chosen || "all"} over time`} positions=${series.times} series=${drawn} format=${text} most=${most} leastTick=${1} />
    <p class="quiet">Devices. ${last !== null && last !== undefined && most ? `Held last: ${percent(last, most)}. ` : ""}${series.origin === "page" ? "Since this page was opened: this server keeps no series yet." : isMeasured ? "" : "No worker reports how busy it is."}</p>`;
}
