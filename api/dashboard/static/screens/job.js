// @ts-check
/** One job: its state, why or where, attempts, output, curve, ranks. */

import { useAsked } from "../data/watching.js";
import { Attempts } from "../job_parts/attempts.js";
import { Curve } from "../job_parts/curve.js";
import { JobEvents } from "../job_parts/events.js";
import { Logs } from "../job_parts/logs.js";
import { Ranks } from "../job_parts/ranks.js";
import { Replicas } from "../job_parts/replicas.js";
import { Spec } from "../job_parts/spec.js";
import { Why } from "../job_parts/why.js";
import { CancelDialog } from "../parts/cancel.js";
import { PriorityDialog } from "../parts/priority.js";
import { Ago, Command, Figures, Freshness, StateMark, Took, Trouble } from "../parts/small.js";
import { refine, routeTo } from "../route.js";
import { html, useState } from "../view.js";
import { counted, memory, whole } from "../words/amounts.js";
import { FINAL, program, progressText, wanted } from "../words/jobs.js";

const TABS = [["place", "Where and why"], ["logs", "Logs"], ["curve", "Loss"], ["events", "Events"], ["spec", "Specification"]];

/** @param {{may: (name: string) => boolean, route: import("../route.js").Route}} props */
export function Job({ may, route }) {
  const id = route.path[1];
  const asked = useAsked(`v1/jobs/${encodeURIComponent(id)}`, { concerns: (event) => event.job === id, everyMs: 30_000 });
  const [asking, setAsking] = useState(/** @type {"" | "cancel" | "priority"} */ (""));
  const job = asked.data;
  if (!job) return html`<p class="crumbs"><a href="#/jobs">Jobs</a> /</p><h1>Job ${id}</h1><${Trouble} error=${asked.error} retry=${asked.reload} />${!asked.error && html`<p class="quiet">loading …</p>`}`;
  const tab = TABS.some(([key]) => key === route.query.get("tab")) ? /** @type {string} */ (route.query.get("tab")) : "place";
  const isFinal = FINAL.has(job.state);
  const attempt = job.attempts.at(-1);
  return html`<div class="screen">
    <p class="crumbs"><a href="#/jobs">Jobs</a> / <a href=${routeTo(["jobs"], { tenant: job.tenant })}>${job.tenant}</a> /</p>
    <div class="head"><h1>${job.name} <${StateMark} state=${job.state} /></h1><${Freshness} at=${asked.at} error=${asked.error} />
      <div class="controls">${!isFinal && job.wish === "stop" && html`<span class="quiet">asked to stop</span>`}
        ${may("change_job") && !isFinal && html`<button onClick=${() => setAsking("priority")}>Priority …</button>`}
        ${may("cancel_job") && !isFinal && html`<button class="danger" onClick=${() => setAsking("cancel")}>Cancel …</button>`}</div>
    </div>
    <${Trouble} error=${asked.error} retry=${asked.reload} />
    <${Figures} items=${facts(job, attempt)} />
    <ul class="asked">${wanted(job.spec).map((line) => html`<li key=${line}>${line}</li>`)}<li><code class="program" title=${program(job.spec)}>${program(job.spec)}</code></li></ul>
    <div class="tabs" role="tablist" aria-label="About this job" onKeyDown=${moveTab}>${TABS.map(([key, name]) => html`<button key=${key} id=${`tab-${key}`} role="tab"
      aria-selected=${key === tab} aria-controls="tab-panel" tabindex=${key === tab ? 0 : -1} onClick=${() => refine(route, { tab: key })}>${name}</button>`)}</div>
    <div id="tab-panel" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">
      ${tab === "place" && html`<${Why} job=${job} />${job.replicas && html`<${Replicas} job=${job} />`}<${Attempts} job=${job} /><${Ranks} job=${job} />`}
      ${tab === "logs" && html`<${Logs} job=${job} />`}
      ${tab === "curve" && html`<${Curve} job=${job} />`}
      ${tab === "events" && html`<${JobEvents} id=${id} />`}
      ${tab === "spec" && html`<${Spec} job=${job} />`}
    </div>
    ${asking === "cancel" && html`<${CancelDialog} rows=${[job]} onClose=${() => (setAsking(""), asked.reload())} />`}
    ${asking === "priority" && html`<${PriorityDialog} rows=${[{ id: job.id, name: job.name, priority: job.spec.priority }]} onClose=${() => (setAsking(""), asked.reload())} />`}
  </div>`;
}

/** @param {any} job @param {any} attempt @returns {[string, any, any][]} */
function facts(job, attempt) {
  const { progress } = job;
  return [
    ["submitted", html`<${Ago} at=${job.submitted_at} everyMs=${1000} />`, `by ${job.submitted_by}`],
    ...(attempt ? [/** @type {[string, any, any]} */ (["attempt", String(attempt.number), job.retries_used ? counted(job.retries_used, "retry used", "retries used") : ""])] : []),
    ...(attempt?.started_at ? [/** @type {[string, any, any]} */ ([attempt.ended_at ? "ran for" : "runs for", html`<${Took} from=${attempt.started_at} to=${attempt.ended_at} />`, ""])] : []),
    ...(job.replicas ? [/** @type {[string, any, any]} */ (["replicas", `${job.replicas.ready} of ${job.replicas.wanted}`, "ready"])] : []),
    ...(job.finished_at ? [/** @type {[string, any, any]} */ (["finished", html`<${Ago} at=${job.finished_at} everyMs=${1000} />`, ""])] : []),
    ...(progress ? [/** @type {[string, any, any]} */ (["progress", progressText(progress), progress.tokens_per_s === null ? "" : `${whole(progress.tokens_per_s)} tokens/s`])] : []),
    ...(attempt?.heartbeat?.memory_mib ? [/** @type {[string, any, any]} */ (["memory", memory(attempt.heartbeat.memory_mib), attempt.heartbeat.device_memory_mib ? `and ${memory(attempt.heartbeat.device_memory_mib)} of a device` : "of the largest worker"])] : []),
    ...(job.array ? [/** @type {[string, any, any]} */ (["array", html`<a href=${routeTo(["jobs"], { array: job.array.id })}>${job.array.name}</a>`, `number ${job.array.index} of 0 to ${job.array.count - 1}`])] : []),
    ["priority", String(job.spec.priority), ""],
    ["id", html`<code>${job.id}</code>`, html`<${Command} text=${`medley show ${job.id}`} />`],
  ];
}

/** Arrow keys lead from tab to tab. @param {KeyboardEvent} event */
function moveTab(event) {
  const tabs = /** @type {HTMLElement[]} */ ([.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('[role="tab"]')]);
  const at = tabs.indexOf(/** @type {HTMLElement} */ (event.target));
  const steps = /** @type {Record<string, number>} */ ({ ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 });
  if (!(event.key in steps)) return;
  event.preventDefault();
  const next = tabs[(steps[event.key] + tabs.length) % tabs.length];
  next.focus();
  next.click();
}
