// @ts-check
/** What is around every screen: where to go, who is logged in, whether what is shown is live, dark or light. */

import { ask } from "../data/api.js";
import { feed } from "../data/feed.js";
import { hasSession, logOut } from "../data/session.js";
import { useChanges, useNow } from "../data/watching.js";
import { html, useEffect, useState } from "../view.js";
import { duration } from "../words/amounts.js";

const SCREENS = [["overview", "Overview"], ["nodes", "Nodes"], ["queues", "Queues", " and shares"], ["jobs", "Jobs"], ["admin", "Admin"]];
const THEMES = ["system", "light", "dark"];
const THEME_KEY = "medley-theme";

/** Put the reader's choice of colours in force. */
export function applyTheme() {
  const theme = localStorage.getItem(THEME_KEY) ?? "system";
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** @param {{me: any, screen: string, children: any}} props */
export function Shell({ me, screen, children }) {
  return html`
    <a class="skip" href="#main" onClick=${toMain}>Skip to the content</a>
    <header class="bar">
      <strong class="brand">Medley</strong>
      <nav aria-label="Screens"><ul>${SCREENS.map(([path, name, more]) => html`<li key=${path}><a href=${`#/${path}`} aria-current=${path === screen ? "page" : undefined}>${name}${more && html`<span class="more">${more}</span>`}</a></li>`)}</ul></nav>
      <div class="bar-end">
        <${StreamMark} />
        <span class="who" title=${`role ${me.role}`}>${me.name}${me.tenant ? html` of <b>${me.tenant}</b>` : html` (${me.role})`}</span>
        <${ThemeSwitch} />
        <button class="small" onClick=${leave}>Log out</button>
      </div>
    </header>
    <${StreamBanner} />
    <main id="main" tabindex="-1">${children}</main>`;
}

/** The server forgets its own session; a token is only forgotten here. */
async function leave() {
  if (hasSession()) await ask("POST", "v1/logout").catch(() => null);
  logOut();
}

/** The link's own target would be another screen. @param {Event} event */
function toMain(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function StreamMark() {
  useChanges(feed);
  const texts = { live: "live", connecting: "connecting", down: "not live" };
  return html`<span class=${`stream stream-${feed.state}`} role="status">${texts[feed.state]}</span>`;
}

function StreamBanner() {
  useChanges(feed);
  const now = useNow(1000);
  if (feed.state !== "down") return null;
  const since = duration((now - feed.heardAt) / 1000);
  return html`<div class="banner" role="alert"><strong>Not live.</strong> ${feed.trouble || "The event stream ended."} What is shown may be ${since} old; it is tried again by itself.</div>`;
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(localStorage.getItem(THEME_KEY) ?? "system");
  useEffect(applyTheme, [theme]);
  const turn = () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    localStorage.setItem(THEME_KEY, next);
    setTheme(next);
  };
  return html`<button class="small" onClick=${turn} aria-label=${`colours: ${theme}; press for the next`} title="colours">${theme}</button>`;
}
