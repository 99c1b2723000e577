// @ts-check
/** Doing something to one job or to many: asks first, then says how far it is and what failed. */

import { jobs } from "../data/jobs.js";
import { html, useEffect, useState } from "../view.js";
import { counted, whole } from "../words/amounts.js";
import { Dialog } from "./dialog.js";

const MOST_NAMED = 8;

/**
 * @param {{title: string, rows: {id: string, name: string}[], button: string, keep: string, look?: string, asked: string, not: string,
 *   act: (onDone: (done: number) => void, signal: AbortSignal, form: HTMLFormElement) => Promise<{id: string, error: Error}[]>,
 *   onClose: () => void, children?: any}} props `asked` and `not` end the sentences "2 of 3 ..." and "1 job was not ..."
 */
export function ManyDialog({ title, rows, button, keep, look = "danger", asked, not, act, onClose, children }) {
  const [done, setDone] = useState(/** @type {number | null} */ (null));
  const [failed, setFailed] = useState(/** @type {{id: string, error: any}[] | null} */ (null));
  const [ending] = useState(() => new AbortController());
  useEffect(() => () => ending.abort(), []);
  const start = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    setDone(0);
    setFailed(await act(setDone, ending.signal, form));
  };
  const isOver = failed !== null;
  const named = rows.slice(0, MOST_NAMED).map((row) => row.name).join(", ");
  return html`<${Dialog} title=${title} onClose=${onClose}><form onSubmit=${start}>
    <p>${named}${rows.length > MOST_NAMED ? `, and ${whole(rows.length - MOST_NAMED)} more` : ""}</p>
    ${done === null && children}
    ${done !== null && html`<p role="status"><progress max=${rows.length} value=${done}></progress> ${whole(done)} of ${whole(rows.length)} ${asked}</p>`}
    ${isOver && failed.length > 0 && html`<div class="trouble" role="alert"><p>${counted(failed.length, "job was", "jobs were")} not ${not}:</p>
      <ul>${failed.slice(0, MOST_NAMED).map(({ id, error }) => html`<li key=${id}>${jobs.rows.get(id)?.name ?? id}: ${error.message}</li>`)}</ul></div>`}
    <div class="buttons">
      ${done === null ? html`<button class=${look}>${button}</button><button type="button" onClick=${onClose}>${keep}</button>`
        : html`<button type="button" class="main" onClick=${onClose}>${isOver ? "Close" : "Stop asking"}</button>`}
    </div>
  </form></${Dialog}>`;
}
