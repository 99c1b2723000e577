// @ts-check
/** What happened to one job, from its beginning. */

import { frameReader } from "../data/feed.js";
import { openStream, pause, willPass } from "../data/api.js";
import { Ago, PlainTable, Trouble } from "../parts/small.js";
import { html, useEffect, useState } from "../view.js";

const MOST_EVENTS = 1000;
const RETRY_MS = 2000;

/** @param {{id: string}} props */
export function JobEvents({ id }) {
  const [events, setEvents] = useState(/** @type {any[]} */ ([]));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    follow(id, (event) => setEvents((before) => [...before, event].slice(-MOST_EVENTS)), ending.signal).catch((problem) => ending.signal.aborted || setError(problem));
    return () => ending.abort();
  }, [id, tries]);
  const retry = () => (setEvents([]), setError(null), setTries(tries + 1));
  return html`<section aria-labelledby="job-events-title"><h2 id="job-events-title">Events</h2><${Trouble} error=${error} retry=${retry} />
    <${PlainTable} caption="Events" columns=${[["change", "number"], ["when", "when"], ["what", "wide"]]} rows=${events.toReversed().map((event) => [event.number, html`<${Ago} at=${event.at} />`, event.text])}><p class="quiet">loading …</p></${PlainTable}>
  </section>`;
}

/** Read a job's events to its end; a stream that breaks is taken up where it broke. @param {string} id @param {(event: any) => void} onEvent @param {AbortSignal} signal */
async function follow(id, onEvent, signal) {
  /** @type {string | undefined} */
  let latest;
  let isOver = false;
  const takeIn = () => frameReader((frame) => {
    if (frame.event === "end") isOver = true;
    else if (frame.data !== undefined) onEvent(JSON.parse(frame.data));
    latest = frame.id ?? latest;
  });
  while (!isOver && !signal.aborted) {
    try {
      await readOnce(id, latest, takeIn(), signal);
    } catch (error) {
      if (signal.aborted || !willPass(error)) throw error;
    }
    if (!isOver) await pause(RETRY_MS, signal);
  }
}

/** @param {string} id @param {string | undefined} latest @param {(text: string) => void} takeIn @param {AbortSignal} signal */
async function readOnce(id, latest, takeIn, signal) {
  const response = await openStream(`v1/jobs/${id}/events`, { signal, headers: latest === undefined ? {} : { "Last-Event-ID": latest } });
  const reader = /** @type {ReadableStream} */ (response.body).pipeThrough(new TextDecoderStream()).getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) takeIn(value ?? "");
}
