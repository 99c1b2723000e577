// @ts-check
/** The beginning: who is logged in, and which screen is asked for. */

import { feed } from "./data/feed.js";
import { isLoggedIn, keepWord, onSession } from "./data/session.js";
import { forgetSamples } from "./data/series.js";
import { useAsked } from "./data/watching.js";
import { Shell, applyTheme } from "./parts/shell.js";
import { Trouble } from "./parts/small.js";
import { useRoute } from "./route.js";
import { Admin } from "./screens/admin.js";
import { Job } from "./screens/job.js";
import { Jobs } from "./screens/jobs.js";
import { Login } from "./screens/login.js";
import { Node } from "./screens/node.js";
import { Nodes } from "./screens/nodes.js";
import { Overview } from "./screens/overview.js";
import { Queues } from "./screens/queues.js";
import { Component, html, render, useEffect, useRef, useState } from "./view.js";

/** @type {Record<string, [string, (props: any) => any]>} */
const SCREENS = {
  overview: ["Overview", Overview],
  nodes: ["Nodes", Nodes],
  node: ["Node", Node],
  queues: ["Queues and shares", Queues],
  jobs: ["Jobs", Jobs],
  job: ["Job", Job],
  admin: ["Admin", Admin],
};

function Application() {
  const [, draw] = useState(0);
  useEffect(() => onSession(() => (forgetSamples(), draw((count) => count + 1))), []);
  return isLoggedIn() ? html`<${LoggedIn} />` : html`<${Login} />`;
}

function LoggedIn() {
  const me = useAsked("v1/whoami", { everyMs: 60_000 });
  const route = useRoute();
  const place = placeOf(route.path);
  useEffect(() => feed.start(), []);
  useTitle(place);
  if (me.data) keepWord(me.data);
  if (me.data === null) return html`<main id="main"><${Trouble} error=${me.error} retry=${me.reload} /></main>`;
  const [, Screen] = SCREENS[place] ?? ["", Missing];
  return html`<${Shell} me=${me.data} screen=${{ node: "nodes", job: "jobs" }[place] ?? place}>
    <${Careful} key=${route.path.join("/")}><${Screen} me=${me.data} may=${(/** @type {string} */ name) => me.data.may.includes(name)} route=${route} /></${Careful}>
  </${Shell}>`;
}

/** Where a screen cannot be drawn the others still can. */
class Careful extends Component {
  /** @param {Error} error */
  componentDidCatch(error) {
    this.setState({ error });
  }

  render() {
    const { error } = /** @type {any} */ (this).state;
    if (!error) return this.props.children;
    const trouble = { title: "This screen could not be drawn", message: error.message, next: "load the page anew; if it stays, tell the operator" };
    return html`<h1>Something went wrong</h1><${Trouble} error=${trouble} retry=${() => this.setState({ error: null })} />`;
  }
}

/** @param {string[]} path @returns {string} */
function placeOf(path) {
  if (path.length > 1 && path[0] === "nodes") return "node";
  if (path.length > 1 && path[0] === "jobs") return "job";
  return path[0] ?? "overview";
}

/** A new screen is announced: its title, and the focus at its beginning. @param {string} place */
function useTitle(place) {
  const before = useRef(place);
  useEffect(() => {
    document.title = `${SCREENS[place]?.[0] ?? "Not found"} · Medley`;
    if (before.current !== place) document.getElementById("main")?.focus({ preventScroll: true });
    before.current = place;
  }, [place]);
}

function Missing() {
  return html`<h1>There is no such screen</h1><p><a href="#/overview">Go to the overview</a></p>`;
}

applyTheme();
render(html`<${Application} />`, /** @type {Element} */ (document.getElementById("application")));
