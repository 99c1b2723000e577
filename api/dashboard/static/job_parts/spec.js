// @ts-check
/** What was submitted, as the API shows it, and commands about this job to copy. */

import { Command } from "../parts/small.js";
import { html } from "../view.js";

/** @param {{job: any}} props */
export function Spec({ job }) {
  const commands = [`medley show ${job.id}`, `medley why ${job.id}`, `medley logs ${job.id} -f`, `medley events ${job.id}`, `medley cancel ${job.id}`];
  return html`<section aria-labelledby="spec-title"><h2 id="spec-title">Specification</h2><pre class="spec" tabindex="0">${JSON.stringify(job.spec, null, 2)}</pre></section>
    <section aria-labelledby="commands-title"><h2 id="commands-title">Commands about it</h2><ul class="commands">${commands.map((text) => html`<li key=${text}><${Command} text=${text} /></li>`)}</ul></section>`;
}
