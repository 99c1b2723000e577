// @ts-check
/** The columns of the table of jobs, and the choice among them. */

import { html, useState } from "../view.js";
import { whole } from "../words/amounts.js";
import { arraySituation, lineName } from "../words/arrays.js";
import { situation, startText, wantedChips } from "../words/jobs.js";
import { Ago, StateMark } from "./small.js";

/** @typedef {import("../data/jobs.js").JobRow} JobRow */
/** @typedef {import("./table.js").Column} Column */

const USUAL = ["tenant", "state", "priority", "workers", "devices", "chips", "by", "age", "fares"];
const FIRST = "name";

/** Texts have more room in wider windows; the rest is for how a job fares. @type {Column[]} */
const COLUMNS = [
  { key: FIRST, title: "name", sortable: true, kind: "name", width: "clamp(11em, 22vw - 7.8em, 16em)", cell: lineName },
  { key: "id", title: "id", width: "12em", cell: (row) => row.id },
  { key: "tenant", title: "tenant", sortable: true, kind: "medium", width: "9em", cell: (row) => row.tenant },
  { key: "kind", title: "kind", sortable: true, width: "6.6em", cell: (row) => row.kind },
  { key: "state", title: "state", sortable: true, kind: "state-cell", width: "8.6em", cell: (row) => html`<${StateMark} state=${row.state} />` },
  { key: "priority", title: "priority", sortable: true, kind: "number wide", width: "5.2em", cell: (row) => row.priority },
  { key: "workers", title: "workers", sortable: true, kind: "number wide", width: "5.4em", cell: (row) => whole(row.workers) },
  { key: "devices", title: "devices", sortable: true, kind: "number medium", width: "5.4em", cell: (row) => whole(row.devices) },
  { key: "chips", title: "chips", kind: "wide", width: "clamp(9em, 34vw - 18.5em, 18em)", cell: (row) => wantedChips(row.mix ?? row.chips) },
  { key: "attempts", title: "attempts", kind: "number", width: "5.6em", cell: (row) => ("members" in row ? "" : whole(row.attempts)) },
  { key: "by", title: "submitted by", sortable: true, kind: "wide", width: "clamp(8em, 20vw - 8.6em, 13em)", cell: (row) => row.submitted_by },
  { key: "age", title: "submitted", sortable: true, kind: "when", width: "7.4em", cell: (row) => html`<${Ago} at=${row.submitted_at} />` },
  { key: "ended", title: "ended", kind: "when", width: "7.4em", cell: (row) => ("members" in row ? "" : html`<${Ago} at=${row.finished_at} />`) },
  { key: "fares", title: "how it fares", kind: "roomy", cell: fares },
];
const NARROWED = /\b(name|wide|medium|roomy)\b/g; // kinds that a narrow window squeezes or does without
const CHOSEN_FARES = "max(16em, 26vw)";

/** How it fares; of an array there is often more to say than has room. @param {any} row */
function fares(row) {
  if ("members" in row) return html`<span title=${arraySituation(row)}>${arraySituation(row)}</span>`;
  return [row.state === "queued" ? startText(row.starts, Date.now()) : "", situation(row)].filter(Boolean).join("; ");
}

/**
 * The columns to show. Those that somebody chose are all there however narrow the window is, which then scrolls;
 * without a choice it does without some of the usual ones.
 * @param {string} chosen keys with commas; empty for the usual ones @param {boolean} hasTenants @returns {Column[]}
 */
export function shownColumns(chosen, hasTenants) {
  const keys = new Set(keysOf(chosen));
  const shown = COLUMNS.filter(({ key }) => key === FIRST || (keys.has(key) && (key !== "tenant" || hasTenants || chosen)));
  return chosen ? shown.map((one) => ({ ...one, kind: one.kind?.replace(NARROWED, "").trim(), width: one.width ?? CHOSEN_FARES })) : shown;
}

/** @param {string} chosen @returns {string[]} */
function keysOf(chosen) {
  return chosen ? chosen.split(",") : USUAL;
}

/** What the address says after one column was shown or hidden; empty for the usual ones. @param {string} chosen @param {string} key @returns {string} */
export function toggled(chosen, key) {
  const keys = new Set(keysOf(chosen));
  if (!keys.delete(key)) keys.add(key);
  const next = COLUMNS.map((one) => one.key).filter((one) => one === FIRST || keys.has(one));
  return next.join() === [FIRST, ...USUAL].join() ? "" : next.join();
}

/** @param {{chosen: string, hasTenants: boolean, onChange: (chosen: string) => void}} props */
export function ColumnChoice({ chosen, hasTenants, onChange }) {
  const shown = new Set(shownColumns(chosen, hasTenants).map(({ key }) => key));
  const [isOpen, setOpen] = useState(false);
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !isOpen) return;
    setOpen(false);
    /** @type {HTMLElement} */ (event.currentTarget).querySelector("summary")?.focus();
  };
  const onFocusOut = (/** @type {any} */ { currentTarget, relatedTarget }) => relatedTarget && !currentTarget.contains(relatedTarget) && setOpen(false);
  return html`<details class="menu" open=${isOpen} onToggle=${(/** @type {any} */ event) => setOpen(event.currentTarget.open)} onKeyDown=${onKey} onFocusOut=${onFocusOut}>
    <summary>columns</summary>
    ${isOpen && html`<fieldset><legend>Columns to show</legend>
      ${COLUMNS.filter(({ key }) => key !== FIRST).map(({ key, title }) => html`<label key=${key}><input type="checkbox" checked=${shown.has(key)} onChange=${() => onChange(toggled(chosen, key))} /> ${title}</label>`)}
      <button type="button" class="small" disabled=${!chosen} onClick=${() => onChange("")}>the usual ones</button>
    </fieldset>`}
  </details>`;
}
