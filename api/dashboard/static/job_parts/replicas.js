// @ts-check
/** The replicas of a server: whether each is ready, where it is reached, and how it fares. */

import { useAsked } from "../data/watching.js";
import { Ago, Command, PlainTable, StateMark, Trouble } from "../parts/small.js";
import { html } from "../view.js";
import { counted } from "../words/amounts.js";
import { endText } from "../words/jobs.js";

/** @param {{job: any}} props */
export function Replicas({ job }) {
  const asked = useAsked(`v1/jobs/${job.id}/replicas`, { isList: true, concerns: (event) => event.job === job.id, everyMs: 15_000 });
  const listed = asked.data;
  if (!listed) return html`<${Trouble} error=${asked.error} retry=${asked.reload} />`;
  return html`<section aria-labelledby="replicas-title"><h2 id="replicas-title">Replicas</h2>
    <${Trouble} error=${asked.error} retry=${asked.reload} />
    <p>${listed.ready} of ${counted(listed.wanted, "replica", "replicas")} ready. <${Command} text=${`medley scale ${job.id} ${listed.wanted + 1}`} /></p>
    <${PlainTable} caption="Replicas" columns=${[["replica", "number"], ["state"], ["ready"], ["address"], ["nodes"], ["attempts", "number"], ["how it fares", "wide"]]} rows=${listed.items.map((/** @type {any} */ replica) => [
      replica.replica,
      html`<${StateMark} state=${replica.state} />`,
      replica.is_ready ? "yes" : "no",
      replica.address ? html`<code>${replica.address}</code>` : "",
      replica.nodes.join(", "),
      replica.attempts,
      fares(replica),
    ])}><p class="quiet">None: the server is over.</p></${PlainTable}>
  </section>`;
}

/** @param {any} replica */
function fares(replica) {
  if (replica.is_ready) return html`ready since <${Ago} at=${replica.ready_since} />`;
  if (replica.state === "queued" && replica.not_before) return html`${endText(replica.stop_reason)}; starts again <${Ago} at=${replica.not_before} />, after ${counted(replica.failures, "failure", "failures")}`;
  if (replica.reasons.length) return replica.reasons[0].text;
  return replica.state === "starting" ? "its workers run; it is not ready" : endText(replica.stop_reason);
}
