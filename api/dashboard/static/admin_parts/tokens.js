// @ts-check
/** Tokens: make one, which is shown once; give one a new secret; revoke one. */

import { Ago, Choice, Command, Empty, Field, PlainTable, Trouble } from "../parts/small.js";
import { Dialog } from "../parts/dialog.js";
import { html, useState } from "../view.js";
import { SmallForm, useChange } from "./form.js";
import { useList } from "./lists.js";
import { ROLES, TENANT_ROLES } from "./roles.js";

const NOTHING = { words: "", secret: "" };
const STATES = /** @type {[string, string][]} */ ([["good", "good ones"], ["", "all"]]);

/** A name for one request, different each time. @returns {string} */
function freshKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

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
  const rotating = useChange();
  const [made, setMade] = useState(NOTHING);
  const [shown, setShown] = useState("good");
  const [doomed, setDoomed] = useState(/** @type {any} */ (null));
  const create = async (/** @type {any} */ fields, /** @type {HTMLFormElement} */ form) => {
    const days = fields.expires_in_days ? { expires_in_days: Number(fields.expires_in_days) } : {};
    const answer = await change.send("POST", "v1/tokens", { ...fields, ...days });
    if (answer) form.reset(), setMade({ words: `The token ${answer.name}, shown this once:`, secret: answer.secret }), reload();
  };
  const rotate = async (/** @type {any} */ token) => {
    const answer = await rotating.send("POST", `v1/tokens/${token.id}/rotate`, {}, { "Idempotency-Key": freshKey() });
    if (answer) setMade({ words: `The new secret of ${answer.name}, shown this once; the old one opens for an hour more:`, secret: answer.secret }), reload();
  };
  const revoke = async () => {
    if (await revoking.send("DELETE", `v1/tokens/${doomed.id}`)) setMade(NOTHING), reload();
    setDoomed(null);
  };
  const now = Date.now();
  const tokens = (items ?? []).filter((token) => !shown || tokenState(token, now) === shown);
  return html`<section aria-labelledby="tokens-title"><div class="head"><h2 id="tokens-title">Tokens</h2><div class="controls"><${Choice} label="show" value=${shown} options=${STATES} onChange=${setShown} /></div></div>
    <${Trouble} error=${error ?? revoking.error ?? rotating.error} retry=${reload} />
    ${may("create_token") && html`<${SmallForm} title="A new token" button="Create" change=${change} onSend=${create}>
      <${Field} label="name" name="name" required maxlength="63" />
      <span class="choice"><label for="token-role">role</label><select id="token-role" name="role">${(me.tenant ? TENANT_ROLES : ROLES).map((role) => html`<option key=${role} selected=${role === "submitter"}>${role}</option>`)}</select></span>
      ${!me.tenant && html`<${Field} label="tenant" name="tenant" placeholder="of a tenant's role" maxlength="63" />`}
      <${Field} label="user" name="user" placeholder="none" maxlength="63" /><${Field} label="days" name="expires_in_days" type="number" min="1" max="365" placeholder="90" /></${SmallForm}>`}
    ${made.secret && html`<div class="note" role="status"><p>${made.words}</p><${Command} text=${made.secret} /> <button class="small" onClick=${() => setMade(NOTHING)}>hide it</button></div>`}
    <${PlainTable} caption="Tokens" columns=${[["token"], ["role"], ["tenant"], ["user", "medium"], ["made", "when"], ["last used", "when"], ["expires", "when"], [""]]} rows=${tokens.map((token) => [
      token.name, token.role, token.tenant ?? html`<span class="quiet">all</span>`, token.user ?? html`<span class="quiet">none</span>`, html`<${Ago} at=${token.created_at} />`, html`<${Ago} at=${token.last_used_at} none="never" />`, html`<${Ago} at=${token.expires_at} none="never" />`,
      tokenState(token, now) !== "good" ? html`<span class="quiet">${tokenState(token, now)}</span>` : html`
        ${may("rotate_token") && !token.is_login && html`<button class="small" disabled=${rotating.isBusy} aria-label=${`new secret for ${token.name}`} onClick=${() => rotate(token)}>new secret</button>`}
        ${may("revoke_token") && html` <button class="small" aria-label=${`revoke ${token.name}`} onClick=${() => setDoomed(token)}>revoke …</button>`}`,
    ])}>${items && html`<${Empty} command="medley tokens create NAME --role submitter --tenant TENANT">No tokens.</${Empty}>`}</${PlainTable}>
    ${isCut && html`<p class="quiet">There are more: medley tokens lists them all.</p>`}
    ${doomed && html`<${Dialog} title=${`Revoke the token ${doomed.name}?`} onClose=${() => setDoomed(null)}><p>${doomed.id === me.token_id ? html`<strong>It is the one you are logged in with.</strong> ` : ""}It opens nothing from then on; this cannot be undone.</p>
      <div class="buttons"><button class="danger" onClick=${revoke}>Revoke it</button><button onClick=${() => setDoomed(null)}>Keep it</button></div></${Dialog}>`}
  </section>`;
}
