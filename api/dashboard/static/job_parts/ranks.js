// @ts-check
/** The rank map of the latest attempt: which worker is where, on which devices, and how it fares. */

import { PlainTable } from "../parts/small.js";
import { routeTo } from "../route.js";
import { html, useState } from "../view.js";
import { counted } from "../words/amounts.js";
import { workerDevices, workerEnd } from "../words/jobs.js";

const MOST_ROWS = 64;

/** Workers by node, in the order of ranks. @param {any[]} workers @returns {[string, any[]][]} */
export function byNode(workers) {
  /** @type {Map<string, any[]>} */
  const nodes = new Map();
  for (const worker of workers) {
    const those = nodes.get(worker.node);
    if (those) those.push(worker);
    else nodes.set(worker.node, [worker]);
  }
  return [...nodes];
}

/** @param {{job: any}} props */
export function Ranks({ job }) {
  const [isAll, setAll] = useState(false);
  const attempt = job.attempts.at(-1);
  if (!attempt) return null;
  const shown = isAll ? attempt.workers : attempt.workers.slice(0, MOST_ROWS);
  const nodes = byNode(attempt.workers);
  return html`<section aria-labelledby="ranks-title"><h2 id="ranks-title">Ranks of attempt ${attempt.number}${attempt.generation > 1 ? `, generation ${attempt.generation}${attempt.is_resizing ? " (on its way)" : ""}` : ""} <small>${counted(attempt.workers.length, "worker", "workers")} on ${counted(nodes.length, "node", "nodes")}</small></h2>
    <div class="rank-map">${nodes.map(([node, workers]) => html`<div key=${node} class="rank-node"><a href=${routeTo(["nodes", ...splitNode(node)])}>${node}</a>
      <span class="rank-row">${workers.map((worker) => html`<span key=${worker.rank} class=${`rank phase-${lookOf(worker)}`} title=${`rank ${worker.rank}, ${worker.role}, ${worker.chip ?? "no device"} ${workerDevices(worker)}: ${workerEnd(worker)}`}>${worker.rank}</span>`)}</span></div>`)}</div>
    <${PlainTable} caption="Ranks" columns=${[["rank", "number"], ["role", "medium"], ["node"], ["chip"], ["devices"], ["state"], ["why there", "wide"]]} rows=${shown.map((/** @type {any} */ worker) => [
      worker.rank, worker.role, html`<a href=${routeTo(["nodes", ...splitNode(worker.node)])}>${worker.node}</a>`, worker.chip ?? "none", workerDevices(worker),
      html`<span class=${`phase-text phase-${lookOf(worker)}`}>${workerEnd(worker)}</span>${worker.detail ? html` <small>${worker.detail}</small>` : ""}`,
      worker.why,
    ])} />
    ${attempt.workers.length > shown.length && html`<button onClick=${() => setAll(true)}>Show all ${attempt.workers.length} ranks</button>`}
  </section>`;
}

/** @param {any} worker @returns {string} */
function lookOf(worker) {
  if (worker.phase === "exited") return worker.exit_code === 0 || worker.end === "stopped" ? "done" : "bad";
  return worker.phase === "lost" ? "bad" : worker.phase;
}

/** @param {string} id @returns {[string, string]} */
function splitNode(id) {
  const at = id.indexOf("/");
  return [id.slice(0, at), id.slice(at + 1)];
}
