// @ts-check
/** What all ranks print, live. Only the lines in sight are drawn. */

import { pause, read, willPass } from "../data/api.js";
import { Choice, Command, Empty, Field, Trouble } from "../parts/small.js";
import { inSight } from "../parts/table.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../view.js";
import { whole } from "../words/amounts.js";
import { LONGEST_LINE, LogLines } from "./log_lines.js";

const EVERY_MS = 1000;
const RETRY_MS = 3000;
const BYTES_PER_RANK = 65_536;
const LINE_PX = 18;

/** @param {{job: any}} props */
export function Logs({ job }) {
  const [rank, setRank] = useState("");
  const [attempt, setAttempt] = useState("");
  const [isFollowing, setFollowing] = useState(true);
  const [text, setText] = useState("");
  const [state, setState] = useState({ isComplete: false, error: /** @type {any} */ (null), count: 0 });
  const [tries, setTries] = useState(0);
  const lines = useRef(new LogLines());
  useEffect(() => {
    const ending = new AbortController();
    lines.current = new LogLines();
    setState({ isComplete: false, error: null, count: 0 });
    followLogs(job.id, { rank, attempt }, lines.current, (isComplete) => setState((before) => ({ isComplete, error: null, count: before.count + 1 })), (error) => setState((before) => ({ ...before, error })), ending.signal)
      .catch((error) => ending.signal.aborted || setState((before) => ({ ...before, error })));
    return () => ending.abort();
  }, [job.id, rank, attempt, tries, job.attempts.length ? "some" : "none"]);
  const latest = job.attempts.at(-1);
  const ranks = latest ? latest.workers.map((/** @type {any} */ worker) => String(worker.number)) : [];
  const wanted = text.toLowerCase();
  const shown = wanted ? lines.current.lines.filter((line) => line.text.toLowerCase().includes(wanted)) : lines.current.lines;
  return html`<section aria-labelledby="logs-title">
    <div class="head"><h2 id="logs-title">Logs</h2><div class="controls">
      <${Choice} label="rank" value=${rank} options=${[["", "all"], ...ranks.map((/** @type {string} */ one) => [one, one])]} onChange=${setRank} />
      ${job.attempts.length > 1 && html`<${Choice} label="attempt" value=${attempt} options=${[["", "latest"], ...job.attempts.map((/** @type {any} */ one) => [String(one.number), String(one.number)])]} onChange=${setAttempt} />`}
      <${Field} label="find" type="search" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
      <label class="choice"><input type="checkbox" checked=${isFollowing} onChange=${() => setFollowing(!isFollowing)} /> follow</label>
    </div></div>
    <${Trouble} error=${state.error} retry=${() => setTries(tries + 1)} />
    ${lines.current.dropped > 0 && html`<p class="quiet">${whole(lines.current.dropped)} older lines are left out. <${Command} text=${`medley logs ${job.id}`} /></p>`}
    ${shown.length > 0 ? html`<${Lines} lines=${shown} hasRanks=${ranks.length > 1} isFollowing=${isFollowing} onScrollUp=${() => setFollowing(false)} />`
      : state.count > 0 && html`<${Empty} command=${latest ? null : `medley why ${job.id}`}>${!latest ? "It has no workers yet." : wanted ? "No line has that text." : "Its workers have printed nothing yet."}</${Empty}>`}
    <p class="quiet" role="status">${whole(shown.length)} lines${state.isComplete ? ", all there is" : state.count ? ", live" : ", loading …"}</p>
  </section>`;
}

/**
 * Read on until all is there; where the server does not answer for a while, from where it stopped.
 * @param {string} id @param {{rank: string, attempt: string}} which @param {LogLines} lines
 * @param {(isComplete: boolean) => void} onPage @param {(error: unknown) => void} onPause @param {AbortSignal} signal
 */
async function followLogs(id, which, lines, onPage, onPause, signal) {
  let cursor = null;
  while (!signal.aborted) {
    let page;
    try {
      page = await read(`v1/jobs/${id}/logs`, { ...which, cursor, limit: BYTES_PER_RANK }, signal);
    } catch (error) {
      if (signal.aborted || !willPass(error)) throw error;
      onPause(error);
      await pause(RETRY_MS, signal);
      continue;
    }
    for (const entry of page.entries) lines.add(entry);
    cursor = page.next;
    onPage(page.is_complete);
    if (page.is_complete && !page.entries.length) return;
    if (!page.entries.length || document.hidden) await pause(EVERY_MS, signal);
    else await pause(EVERY_MS / 10, signal);
  }
}

/** @param {{lines: import("./log_lines.js").Line[], hasRanks: boolean, isFollowing: boolean, onScrollUp: () => void}} props */
function Lines({ lines, hasRanks, isFollowing, onScrollUp }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [view, setView] = useState({ top: 0, height: 400 });
  const [first, last] = inSight(view.top, view.height, LINE_PX, lines.length);
  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (frame.current);
    if (isFollowing) element.scrollTop = element.scrollHeight;
    if (element.scrollTop !== view.top || element.clientHeight !== view.height) setView({ top: element.scrollTop, height: element.clientHeight });
  }, [lines.length, isFollowing]);
  const onScroll = () => {
    const { scrollTop, clientHeight } = /** @type {HTMLDivElement} */ (frame.current);
    if (isFollowing && scrollTop < view.top - LINE_PX) onScrollUp();
    if (Math.abs(scrollTop - view.top) > 2 * LINE_PX || clientHeight !== view.height) setView({ top: scrollTop, height: clientHeight });
  };
  return html`<div class="logs" ref=${frame} tabindex="0" role="log" aria-live="off" aria-label="output" onScroll=${onScroll}>
    <div class="log-space" style=${{ height: `${lines.length * LINE_PX}px` }}><div class="log-lines" style=${{ transform: `translateY(${first * LINE_PX}px)` }}>
      ${lines.slice(first, last).map((line) => html`<div key=${line.key} class="log-line">${hasRanks && html`<span class=${`rank-mark rank-${line.rank % 8}`}>${line.rank}</span>`}<span>${line.text}</span>${line.cut > 0 && html`<em title=${`shown: the first ${whole(LONGEST_LINE)}`}>… ${whole(line.cut)} more characters</em>`}</div>`)}
    </div></div>
  </div>`;
}
