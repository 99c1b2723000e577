// @ts-check
/** Giving one job or many another priority. */

import { changePriorities } from "../data/jobs.js";
import { html, useState } from "../view.js";
import { counted } from "../words/amounts.js";
import { ManyDialog } from "./many.js";
import { Field } from "./small.js";

const MOST = 100;

/** @param {{rows: {id: string, name: string, priority: number}[], onClose: () => void}} props */
export function PriorityDialog({ rows: given, onClose }) {
  const [rows] = useState(given); // what was asked about, although the list goes on
  const present = rows.every((row) => row.priority === rows[0].priority) ? rows[0].priority : "";
  const act = (/** @type {(done: number) => void} */ onDone, /** @type {AbortSignal} */ signal, /** @type {HTMLFormElement} */ form) =>
    changePriorities(rows.map((row) => row.id), Number(new FormData(form).get("priority")), onDone, signal);
  return html`<${ManyDialog} title=${`Priority of ${counted(rows.length, "job", "jobs")}`} rows=${rows} act=${act} onClose=${onClose}
    button="Change it" keep="Leave it" look="main" asked="done" not="changed">
    <p><${Field} label="priority" name="priority" type="number" required autofocus min=${-MOST} max=${MOST} step="1" defaultValue=${present} /></p>
    <p class="quiet">${-MOST} to ${MOST}; the higher goes first. Who runs goes on.</p>
  </${ManyDialog}>`;
}
