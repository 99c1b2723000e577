// @ts-check
/** Cancelling one job or many: asks first, then says how far it is and what failed. */

import { cancelJobs, jobs } from "../data/jobs.js";
import { html, useEffect, useState } from "../view.js";
import { counted, whole } from "../words/amounts.js";
import { Dialog } from "./dialog.js";

const MOST_NAMED = 8;

/** @param {{rows: {id: string, name: string, state: string}[], onClose: () => void}} props */
export function CancelDialog({ rows: given, onClose }) {
  const [rows] = useState(given); // what was asked about, although the list goes on
  const [done, setDone] = useState(/** @type {number | null} */ (null));
  const [failed, setFailed] = useState(/** @type {{id: string, error: any}[] | null} */ (null));
  const [ending] = useState(() => new AbortController());
  useEffect(() => () => ending.abort(), []);
  const running = rows.filter((row) => row.state !== "queued").length;
  const start = async () => {
    setDone(0);
    setFailed(await cancelJobs(rows.map((row) => row.id), setDone, ending.signal));
  };
  const isOver = failed !== null;
  const named = rows.slice(0, MOST_NAMED).map((row) => row.name).join(", ");
  return html`<${Dialog} title=${`Cancel ${counted(rows.length, "job", "jobs")}?`} onClose=${onClose}>
    <p>${named}${rows.length > MOST_NAMED ? `, and ${whole(rows.length - MOST_NAMED)} more` : ""}</p>
    ${done === null && running > 0 && html`<p>${counted(running, "one of them holds", "of them hold")} devices: the workers are asked to end, then made to. This cannot be undone.</p>`}
    ${done !== null && html`<p role="status"><progress max=${rows.length} value=${done}></progress> ${whole(done)} of ${whole(rows.length)} asked to stop</p>`}
    ${isOver && failed.length > 0 && html`<div class="trouble" role="alert"><p>${counted(failed.length, "job was", "jobs were")} not cancelled:</p>
      <ul>${failed.slice(0, MOST_NAMED).map(({ id, error }) => html`<li key=${id}>${jobs.rows.get(id)?.name ?? id}: ${error.message}</li>`)}</ul></div>`}
    <div class="buttons">
      ${done === null ? html`<button class="danger" onClick=${start}>Cancel ${rows.length === 1 ? "the job" : "them"}</button><button onClick=${onClose}>Keep ${rows.length === 1 ? "it" : "them"}</button>`
        : html`<button class="main" onClick=${onClose}>${isOver ? "Close" : "Stop asking"}</button>`}
    </div>
  </${Dialog}>`;
}
