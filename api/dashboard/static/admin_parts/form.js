// @ts-check
/** One small form: sends what was filled in, says what the API says, and has the list read again. */

import { ask } from "../data/api.js";
import { Trouble } from "../parts/small.js";
import { html, useState } from "../view.js";

/**
 * Send a change and keep what became of it.
 * @returns {{error: any, isBusy: boolean, send: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<any>}}
 */
export function useChange() {
  const [state, setState] = useState({ error: /** @type {any} */ (null), isBusy: false });
  const send = async (/** @type {string} */ method, /** @type {string} */ path, /** @type {unknown} */ body, /** @type {Record<string, string>} */ headers = {}) => {
    setState({ error: null, isBusy: true });
    try {
      const answer = await ask(method, path, { body, headers });
      setState({ error: null, isBusy: false });
      return answer ?? {};
    } catch (error) {
      setState({ error, isBusy: false });
      return null;
    }
  };
  return { ...state, send };
}

/** The filled-in fields of a form; empty ones are left out. @param {HTMLFormElement} form @returns {Record<string, string>} */
export function fieldsOf(form) {
  const given = [...new FormData(form).entries()].map(([name, value]) => [name, String(value).trim()]);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

/** @param {{title: string, button: string, onSend: (fields: Record<string, string>, form: HTMLFormElement) => Promise<void>, change: {error: any, isBusy: boolean}, children: any}} props */
export function SmallForm({ title, button, onSend, change, children }) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    void onSend(fieldsOf(form), form);
  };
  return html`<form class="small-form" onSubmit=${submit} aria-label=${title}><strong>${title}</strong>${children}<button class="main" disabled=${change.isBusy}>${button}</button></form><${Trouble} error=${change.error} />`;
}
