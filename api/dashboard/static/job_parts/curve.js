// @ts-check
/** What a training reports, by step: loss and tokens per second. */

import { useAsked } from "../data/watching.js";
import { Chart } from "../parts/chart.js";
import { Empty, Trouble } from "../parts/small.js";
import { html } from "../view.js";
import { figure, whole } from "../words/amounts.js";

const MOST_REPORTS = 1000;

/** @param {{job: any}} props */
export function Curve({ job }) {
  const asked = useAsked(`v1/jobs/${job.id}/progress`, { query: { limit: MOST_REPORTS }, everyMs: 30_000, concerns: (event) => event.job === job.id && event.kind === "progress-reported" });
  const reports = asked.data?.items ?? [];
  if (asked.error && !reports.length) return html`<${Trouble} error=${asked.error} retry=${asked.reload} />`;
  if (!reports.length) return html`<${Empty} command=${`medley logs ${job.id}`}>${job.spec.command ? "Its program reports no progress; what it prints is among the logs." : "No report yet."}</${Empty}>`;
  const steps = reports.map((/** @type {any} */ one) => one.step);
  const last = reports.at(-1);
  const chart = (/** @type {string} */ key, /** @type {string} */ name, /** @type {(value: number) => string} */ format, /** @type {string} */ look, fromZero = true) => html`
    <section aria-label=${name}><h2>${name}</h2><${Chart} label=${`${name} by step`} positions=${steps} isTime=${false} format=${format} fromZero=${fromZero} positionText=${(/** @type {number} */ at) => `step ${whole(at)}`}
      series=${[{ name, values: reports.map((/** @type {any} */ one) => finite(one[key])), shape: "line", look }]} /></section>`;
  return html`<p>Loss ${sayLoss(reports[0])} → <b>${sayLoss(last)}</b> in steps ${whole(steps[0])} to ${whole(last.step)} of ${whole(last.steps)}.</p>
    ${chart("loss", "loss", figure, "look-busy", false)}
    ${chart("tokens_per_s", "tokens/s", whole, "look-capacity")}
    ${reports.length === MOST_REPORTS && html`<p class="quiet">The latest ${whole(MOST_REPORTS)} reports.</p>`}`;
}

/** @param {any} report @returns {string} */
function sayLoss(report) {
  return finite(report.loss) === null ? "?" : figure(report.loss);
}

/** @param {unknown} value @returns {number | null} */
function finite(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
