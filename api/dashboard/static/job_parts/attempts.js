// @ts-check
/** The attempts of a job on one line of time: waiting, starting, running, stopping. */

import { useNow } from "../data/watching.js";
import { Ago, PlainTable, StateMark, Took } from "../parts/small.js";
import { html } from "../view.js";
import { absolute, duration } from "../words/amounts.js";
import { endText, firstFailure } from "../words/jobs.js";

/**
 * The parts of a job's life, as parts of the whole. An attempt that was stopped ends where it ended.
 * @param {any} job @param {number} now in ms
 * @returns {{label: string, look: string, from: number, to: number}[]}
 */
export function lifeOf(job, now) {
  const parts = [];
  let at = Date.parse(job.submitted_at);
  const end = job.finished_at ? Date.parse(job.finished_at) : now;
  for (const attempt of job.attempts) {
    const placed = Date.parse(attempt.placed_at);
    const over = attempt.ended_at ? Date.parse(attempt.ended_at) : end;
    const started = attempt.started_at ? Date.parse(attempt.started_at) : over;
    parts.push({ label: "waited", look: "queued", from: at, to: placed });
    parts.push({ label: `attempt ${attempt.number} started`, look: "starting", from: placed, to: Math.max(placed, started) });
    parts.push({ label: `attempt ${attempt.number} ran`, look: attempt.state === "failed" || attempt.state === "queued" ? "failed" : "running", from: started, to: Math.max(started, over) });
    at = over;
  }
  if (end > at && !["succeeded", "failed", "cancelled"].includes(job.state)) parts.push({ label: "waits", look: "queued", from: at, to: end });
  if (!job.attempts.length && job.finished_at) parts.push({ label: "waited", look: "queued", from: at, to: end });
  return parts.filter((part) => part.to > part.from);
}

/** @param {{job: any}} props */
export function Attempts({ job }) {
  const now = useNow(1000);
  const parts = lifeOf(job, now);
  const whole = parts.reduce((sum, part) => sum + part.to - part.from, 0);
  return html`<section aria-labelledby="attempts-title"><h2 id="attempts-title">Attempts</h2>
    ${whole > 0 && html`<div class="life" role="img" aria-label=${parts.map((part) => `${part.label} for ${duration((part.to - part.from) / 1000)}`).join(", ")}>${parts.map((part, index) => html`
      <span key=${index} class=${`life-${part.look}`} style=${{ flexGrow: String(Math.max(0.004, (part.to - part.from) / whole)) }} title=${`${part.label} for ${duration((part.to - part.from) / 1000)}, from ${absolute(new Date(part.from).toISOString())}`}></span>`)}</div>
    <p class="legend small-legend"><span><i class="life-queued"></i>waited</span> <span><i class="life-starting"></i>started</span> <span><i class="life-running"></i>ran</span> <span><i class="life-failed"></i>ran and was tried again, or failed</span></p>`}
    <${PlainTable} caption="Attempts" columns=${[["attempt", "number"], ["state"], ["placed", "when"], ["ran"], ["how it ended", "wide"]]} rows=${job.attempts.toReversed().map((/** @type {any} */ attempt) => [
      attempt.number,
      html`<${StateMark} state=${attempt.state} />`,
      html`<${Ago} at=${attempt.placed_at} everyMs=${1000} />`,
      html`<${Took} from=${attempt.started_at} to=${attempt.ended_at} />`,
      attempt.stop_reason ? (attempt.eviction?.text ?? firstFailure(attempt) ?? endText(attempt.stop_reason)) : "",
    ])}><p class="quiet">No attempt yet: it holds no devices.</p></${PlainTable}>
  </section>`;
}
