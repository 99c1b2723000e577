// @ts-check
/** Logging in with a token. */

import { address, ask, read } from "../data/api.js";
import { logIn, loginAddress, whyEnded } from "../data/session.js";
import { Command, Trouble } from "../parts/small.js";
import { html, useEffect, useState } from "../view.js";

const FORM = /^[\x21-\x7e]{8,512}$/;

/** Which operations of this server anybody may call; the page says so. */
const PUBLIC = (document.documentElement.dataset.public ?? "").split(" ");

export function Login() {
  const [issuer, setIssuer] = useState("");
  useEffect(() => {
    if (PUBLIC.includes("show_login_terms")) read("v1/login/terms").then((terms) => setIssuer(terms.oidc?.issuer ?? ""), () => setIssuer(""));
  }, []);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (event.target).elements.namedItem("token"));
    const token = field.value.trim();
    if (!FORM.test(token)) {
      setError({ title: "That is no token", message: "A token has no spaces and begins with mdl_.", next: "copy it again, whole" });
      return;
    }
    setBusy(true);
    try {
      await ask("GET", "v1/whoami", { headers: { Authorization: `Bearer ${token}` } });
      logIn(token);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return html`<main class="login" id="main">
    <h1>Medley</h1>
    ${whyEnded() && !error && html`<p class="trouble" role="status">You were logged out: ${whyEnded()}</p>`}
    ${issuer && html`<p><a class="as-button" href=${loginAddress(address("v1/login"))}>Log in with ${hostOf(issuer)}</a></p><p class="quiet">or with a token:</p>`}
    <form onSubmit=${submit}>
      <label for="token">Your token</label>
      <input id="token" name="token" type="password" autocomplete="off" spellcheck=${false} required autofocus aria-describedby="token-help" />
      <p id="token-help" class="quiet">It is kept in this tab until you log out or close it.</p>
      <button class="main" disabled=${isBusy}>${isBusy ? "Logging in …" : "Log in"}</button>
    </form>
    <${Trouble} error=${error} />
    <p>No token yet? A tenant's administrator or the operator makes one:</p>
    <${Command} text="medley tokens create NAME --role submitter --tenant TENANT" />
  </main>`;
}

/** @param {string} issuer @returns {string} */
function hostOf(issuer) {
  return URL.canParse(issuer) ? new URL(issuer).host : issuer;
}
