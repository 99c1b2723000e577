// @ts-check
/** The smallest parts: times, states, bars, problems, empty lists. */

import { feed } from "../data/feed.js";
import { useChanges, useNow } from "../data/watching.js";
import { html, useId, useState } from "../view.js";
import { absolute, ago, duration, percent, whole } from "../words/amounts.js";

/** A time from now, with the time itself in its title; every second where it stands beside what counts them. */
export function Ago({ at, none = "–", everyMs = 5000 }) {
  const now = useNow(everyMs);
  if (!at) return html`<span class="quiet">${none}</span>`;
  return html`<time dateTime=${at} title=${absolute(at)}>${ago(at, now)}</time>`;
}

/** How long something took, or takes until now. */
export function Took({ from, to }) {
  const now = useNow(1000);
  if (!from) return html`<span class="quiet">–</span>`;
  const end = to ? Date.parse(to) : now;
  return html`<span title=${`${absolute(from)} to ${to ? absolute(to) : "now"}`}>${duration((end - Date.parse(from)) / 1000)}</span>`;
}

/** A state: a sign, a colour and the word. */
export function StateMark({ state }) {
  return html`<span class=${`state state-${state}`}>${state}</span>`;
}

/** How much of something is held: a bar with its figures. */
export function UseBar({ held, of, other = 0, label = "held" }) {
  const width = (/** @type {number} */ part) => `${of ? Math.min(100, (100 * part) / of) : 0}%`;
  return html`<span class="use-bar" role="img" aria-label=${`${whole(held)} of ${whole(of)} ${label}`}>
    <span class="use-held" style=${{ width: width(held) }}></span><span class="use-other" style=${{ width: width(other) }}></span>
  </span><span class="number use-text">${percent(held, of)}</span>`;
}

/** What went wrong, and what to do. */
export function Trouble({ error, retry }) {
  if (!error) return null;
  return html`<div class="trouble" role="alert">
    <p><strong>${error.title ?? "Something went wrong"}.</strong> ${error.message}</p>
    ${error.next && html`<p>What to do: <${Said} text=${error.next} /></p>`}
    <p class="quiet">${error.requestId && html`request ${error.requestId} `}${retry && html`<button onClick=${retry}>Try again</button>`}</p>
  </div>`;
}

/** A sentence of the API; what it has between backticks is a command. */
export function Said({ text }) {
  return text.split("`").map((/** @type {string} */ part, /** @type {number} */ index) => (index % 2 ? html`<code>${part}</code>` : part));
}

/** Nothing is here: why, and the next useful command. */
export function Empty({ children, command }) {
  return html`<div class="empty"><p>${children}</p>${command && html`<${Command} text=${command} />`}</div>`;
}

/** A command to copy. */
export function Command({ text }) {
  return html`<span class="command"><code>${text}</code> <${CopyButton} text=${text} name=${text} /></span>`;
}

/** Copies a text. Browsers let pages do so over https and on this machine only: elsewhere it says so. */
export function CopyButton({ text, name }) {
  const [said, setSaid] = useState("copy");
  const copy = async () => {
    setSaid(await navigator.clipboard?.writeText(text).then(() => "copied", () => "not allowed") ?? "needs https");
    setTimeout(() => setSaid("copy"), 1500);
  };
  return html`<button class="small" onClick=${copy} aria-label=${`${said} ${name}`}>${said}</button>`;
}

const FRESH_MS = 20_000;

/** How old what is shown is; marked where that is older than it should be. What the feed keeps up is as old as the feed. */
export function Freshness({ at, error, followsFeed = false, mostMs = 45_000 }) {
  const now = useNow(1000);
  useChanges(feed);
  if (at === null || at === undefined) return html`<span class="quiet">loading …</span>`;
  const since = followsFeed ? (feed.state === "live" ? now : Math.max(at, feed.heardAt)) : at;
  const isOld = now - since > mostMs || Boolean(error) || feed.state === "down";
  const text = now - since < FRESH_MS ? "as of now" : `as of ${duration((now - since) / 1000)} ago`;
  return html`<span class=${isOld ? "stale" : "quiet"} title=${new Date(since).toISOString()}>${isOld ? `old: ${text}` : text}</span>`;
}

/** A choice among a few words. */
export function Choice({ label, value, options, onChange }) {
  const id = useId();
  return html`<span class="choice"><label for=${id}>${label}</label><select id=${id} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
    ${options.map((/** @type {string | [string, string]} */ option) => {
      const [key, text] = Array.isArray(option) ? option : [option, option];
      return html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`;
    })}
  </select></span>`;
}

/** A field to type into, with its name. */
export function Field({ label, ...rest }) {
  const id = useId();
  return html`<span class="choice"><label for=${id}>${label}</label><input id=${id} autocomplete="off" spellcheck=${false} ...${rest} /></span>`;
}

/** Figures beside each other: [what, how much, remark]. */
export function Figures({ items }) {
  return html`<dl class="figures">${items.map((/** @type {[string, any, any]} */ [name, value, remark]) => html`
    <div key=${name}><dt>${name}</dt><dd><b>${value}</b>${remark && html` <small>${remark}</small>`}</dd></div>`)}</dl>`;
}

/** A table that needs no windowing. `columns`: [title, class]; rows are arrays of cells. */
export function PlainTable({ caption, columns, rows, children = null }) {
  if (!rows.length) return children;
  return html`<div class="table-frame" tabindex="0" role="region" aria-label=${caption}><table class="plain">
    <thead><tr>${columns.map(([title, kind]) => html`<th scope="col" class=${kind}>${title}</th>`)}</tr></thead>
    <tbody>${rows.map((cells) => html`<tr>${cells.map((cell, index) => html`<td class=${columns[index][1]}>${cell}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
