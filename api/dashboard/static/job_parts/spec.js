// @ts-check
/** What was submitted, as a job file to copy, and commands about this job to copy. */

import { Command, CopyButton } from "../parts/small.js";
import { html } from "../view.js";
import { jobFile } from "../words/yaml.js";

/** @param {{job: any}} props */
export function Spec({ job }) {
  const text = jobFile(job.spec);
  const commands = [`medley show ${job.id}`, `medley why ${job.id}`, `medley logs ${job.id} -f`, `medley events ${job.id}`, `medley clone ${job.id}`, `medley priority ${job.id} ${job.spec.priority}`, `medley cancel ${job.id}`];
  return html`<section aria-labelledby="spec-title"><h2 id="spec-title">Specification</h2><p>As a job file: <${CopyButton} text=${text} name="the specification" /></p><pre class="spec" tabindex="0">${text}</pre></section>
    <section aria-labelledby="commands-title"><h2 id="commands-title">Commands about it</h2><ul class="commands">${commands.map((text) => html`<li key=${text}><${Command} text=${text} /></li>`)}</ul></section>`;
}
