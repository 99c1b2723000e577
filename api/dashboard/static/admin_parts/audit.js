// @ts-check
/** Who changed what, newest first. */

import { read } from "../data/api.js";
import { Ago, Empty, Field, PlainTable, Trouble } from "../parts/small.js";
import { html, useEffect, useState } from "../view.js";
import { fieldsOf } from "./form.js";

const PAGE = 100;

export function Audit() {
  const [state, setState] = useState(/** @type {{items: any[], next: string | null, error: any, isLoaded: boolean}} */ ({ items: [], next: null, error: null, isLoaded: false }));
  const [where, setWhere] = useState(/** @type {Record<string, string>} */ ({}));
  const more = (/** @type {string | null} */ cursor) =>
    read("v1/audit", { ...where, limit: PAGE, cursor }).then(
      (page) => setState((before) => ({ items: cursor ? [...before.items, ...page.items] : page.items, next: page.next, error: null, isLoaded: true })),
      (error) => setState((before) => ({ ...before, error })),
    );
  useEffect(() => void more(null), [where]);
  const search = (/** @type {SubmitEvent} */ event) => (event.preventDefault(), setWhere(fieldsOf(/** @type {HTMLFormElement} */ (event.target))));
  const text = (/** @type {unknown} */ value) => (value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
  return html`<section aria-labelledby="audit-title"><h2 id="audit-title">Audit</h2><${Trouble} error=${state.error} retry=${() => more(null)} />
    <form class="small-form" onSubmit=${search} aria-label="Find entries"><strong>Find</strong><${Field} label="who" name="actor" maxlength="200" /><${Field} label="what" name="operation" placeholder="set_quota" maxlength="63" /><${Field} label="of" name="object" placeholder="quota, or quota/TENANT/CHIP" maxlength="200" /><button class="main">Find</button></form>
    <${PlainTable} caption="Audit" columns=${[["when", "when"], ["who"], ["what"], ["of"], ["outcome"], ["before", "wide"], ["after", "wide"]]} rows=${state.items.map((one) => [html`<${Ago} at=${one.at} />`, one.actor, one.operation, `${one.object.kind} ${one.object.name}`, one.outcome, html`<code>${text(one.before)}</code>`, html`<code>${text(one.after)}</code>`])}>
      ${state.isLoaded && html`<${Empty}>${Object.keys(where).length ? "No entry meets these filters." : "Nobody has changed anything yet."}</${Empty}>`}</${PlainTable}>
    ${state.next && html`<button onClick=${() => more(state.next)}>Older ones</button>`}
  </section>`;
}
