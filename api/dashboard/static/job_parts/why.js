// @ts-check
/** Why a job waits, where it is, or how it ended: the API's own sentences. */

import { useAsked } from "../data/watching.js";
import { Ago, Command, Said, Trouble } from "../parts/small.js";
import { html } from "../view.js";
import { counted, duration } from "../words/amounts.js";

/** @param {{job: any}} props */
export function Why({ job }) {
  const isWaiting = job.state === "queued";
  const asked = useAsked(`v1/jobs/${job.id}/why`, { query: { }, everyMs: isWaiting ? 5000 : 60_000, concerns: (event) => event.job === job.id || (isWaiting && event.kind.startsWith("group-")) });
  const why = asked.data;
  if (!why) return html`<${Trouble} error=${asked.error} retry=${asked.reload} />`;
  const more = why.reasons.filter((/** @type {any} */ reason) => !why.text.includes(reason.text));
  return html`<section aria-labelledby="why-title" class="why">
    <h2 id="why-title">${isWaiting ? "Why it waits" : "Where it stands"}</h2>
    <p class="sentence">${why.text}</p>
    ${more.length > 0 && html`<ul>${more.map((/** @type {any} */ reason) => html`<li key=${reason.text}>${reason.text}</li>`)}</ul>`}
    ${why.position !== null && html`<p>Position <b>${why.position}</b> in the queue${why.ahead === null ? "" : `, ${counted(why.ahead, "job", "jobs")} ahead of it`}.</p>`}
    ${job.not_before && isWaiting && html`<p>It is tried again <${Ago} at=${job.not_before} />.</p>`}
    ${job.stop && !why.text.includes(job.stop.text) && html`<p>Stopped: ${job.stop.text}${job.stop.detail ? `: ${job.stop.detail}` : ""}</p>`}
    ${job.resume && job.attempts.length > 0 && html`<p class="told">${job.resume.text}</p>`}
    ${why.next && html`<p>What helps: <${Said} text=${why.next} /></p>`}
    ${why.remedies.length > 0 && html`<p>Each by itself would help:</p>
      <ul>${why.remedies.map((/** @type {any} */ one) => html`<li key=${one.text}>${one.text} <${Command} text=${`medley clone ${job.id} --set '${one.field}=${JSON.stringify(one.value)}'${isWaiting ? ` && medley cancel ${job.id}` : ""}`} /></li>`)}</ul>`}
    <p class="quiet">as of change ${why.change}, ${duration(why.age_s)} old. <${Command} text=${`medley why ${job.id}`} /></p>
  </section>`;
}
