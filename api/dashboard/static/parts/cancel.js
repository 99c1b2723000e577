// @ts-check
/** Cancelling one job or many. */

import { cancelJobs } from "../data/jobs.js";
import { html, useState } from "../view.js";
import { counted } from "../words/amounts.js";
import { ManyDialog } from "./many.js";

/** @param {{rows: {id: string, name: string, state: string}[], onClose: () => void}} props */
export function CancelDialog({ rows: given, onClose }) {
  const [rows] = useState(given); // what was asked about, although the list goes on
  const running = rows.filter((row) => row.state !== "queued").length;
  const act = (/** @type {(done: number) => void} */ onDone, /** @type {AbortSignal} */ signal) => cancelJobs(rows.map((row) => row.id), onDone, signal);
  return html`<${ManyDialog} title=${`Cancel ${counted(rows.length, "job", "jobs")}?`} rows=${rows} act=${act} onClose=${onClose}
    button=${`Cancel ${rows.length === 1 ? "the job" : "them"}`} keep=${`Keep ${rows.length === 1 ? "it" : "them"}`} asked="asked to stop" not="cancelled">
    ${running > 0 && html`<p>${counted(running, "one of them holds", "of them hold")} devices: the workers are asked to end, then made to. This cannot be undone.</p>`}
  </${ManyDialog}>`;
}
