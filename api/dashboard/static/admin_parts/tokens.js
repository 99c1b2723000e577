// @ts-check
/** Tokens: make one, which is shown once; revoke one. */

import { Ago, Choice, Command, Empty, Field, PlainTable, Trouble } from "../parts/small.js";
import { Dialog } from "../parts/dialog.js";
import { html, useState } from "../view.js";
import { SmallForm, useChange } from "./form.js";
import { useList } from "./lists.js";

const ROLES = ["viewer", "submitter", "tenant-admin", "operator", "auditor"];
const STATES = /** @type {[string, string][]} */ ([["good", "good ones"], ["", "all"]]);

/** What a token is good for. @param {any} token @param {number} now in ms @returns {"good" | "revoked" | "expired"} */
export function tokenState(token, now) {
  if (token.revoked_at) return "revoked";
  return token.expires_at && Date.parse(token.expires_at) <= now ? "expired" : "good";
}

/** @param {{me: any, may: (name: string) => boolean}} props */
export function Tokens({ me, may }) {
  const { items, error, isCut, reload } = useList("v1/tokens");
  const change = useChange();
  const revoking = useChange();
  const [secret, setSecret] = useState("");
  const [shown, setShown] = useState("good");
  const [doomed, setDoomed] = useState(/** @type {any} */ (null));
  const create = async (/** @type {any} */ fields, /** @type {HTMLFormElement} */ form) => {
    const days = fields.expires_in_days ? { expires_in_days: Number(fields.expires_in_days) } : {};
    const made = await change.send("POST", "v1/tokens", { ...fields, ...days });
    if (made) form.reset(), setSecret(made.secret), reload();
  };
  const revoke = async () => {
    if (await revoking.send("DELETE", `v1/tokens/${doomed.id}`)) reload();
    setDoomed(null);
  };
  const now = Date.now();
  const tokens = (items ?? []).filter((token) => !shown || tokenState(token, now) === shown);
  return html`<section aria-labelledby="tokens-title"><div class="head"><h2 id="tokens-title">Tokens</h2><div class="controls"><${Choice} label="show" value=${shown} options=${STATES} onChange=${setShown} /></div></div>
    <${Trouble} error=${error ?? revoking.error} retry=${reload} />
    ${may("create_token") && html`<${SmallForm} title="A new token" button="Create" change=${change} onSend=${create}>
      <${Field} label="name" name="name" required maxlength="63" />
      <span class="choice"><label for="token-role">role</label><select id="token-role" name="role">${(me.tenant ? ROLES.slice(0, 3) : ROLES).map((role) => html`<option key=${role} selected=${role === "submitter"}>${role}</option>`)}</select></span>
      ${!me.tenant && html`<${Field} label="tenant" name="tenant" placeholder="of a tenant's role" maxlength="63" />`}
      <${Field} label="user" name="user" placeholder="none" maxlength="63" /><${Field} label="days" name="expires_in_days" type="number" min="1" max="365" placeholder="90" /></${SmallForm}>`}
    ${secret && html`<div class="note" role="status"><p>The new token, shown this once:</p><${Command} text=${secret} /> <button class="small" onClick=${() => setSecret("")}>hide it</button></div>`}
    <${PlainTable} caption="Tokens" columns=${[["token"], ["role"], ["tenant"], ["user", "medium"], ["made", "when"], ["expires", "when"], [""]]} rows=${tokens.map((token) => [
      token.name, token.role, token.tenant ?? html`<span class="quiet">all</span>`, token.user ?? html`<span class="quiet">none</span>`, html`<${Ago} at=${token.created_at} />`, html`<${Ago} at=${token.expires_at} none="never" />`,
      tokenState(token, now) !== "good" ? html`<span class="quiet">${tokenState(token, now)}</span>` : may("revoke_token") && html`<button class="small" aria-label=${`revoke ${token.name}`} onClick=${() => setDoomed(token)}>revoke …</button>`,
    ])}>${items && html`<${Empty} command="medley tokens create NAME --role submitter --tenant TENANT">No tokens.</${Empty}>`}</${PlainTable}>
    ${isCut && html`<p class="quiet">There are more: medley tokens lists them all.</p>`}
    ${doomed && html`<${Dialog} title=${`Revoke the token ${doomed.name}?`} onClose=${() => setDoomed(null)}><p>${doomed.id === me.token_id ? html`<strong>It is the one you are logged in with.</strong> ` : ""}It opens nothing from then on; this cannot be undone.</p>
      <div class="buttons"><button class="danger" onClick=${revoke}>Revoke it</button><button onClick=${() => setDoomed(null)}>Keep it</button></div></${Dialog}>`}
  </section>`;
}
