// @ts-check
/** People: what they may be at most, and whether anything of theirs opens. */

import { Ago, Empty, Field, PlainTable, Trouble } from "../parts/small.js";
import { html } from "../view.js";
import { SmallForm, useChange } from "./form.js";
import { useList } from "./lists.js";
import { ROLES, TENANT_ROLES } from "./roles.js";

/** @param {{me: any, may: (name: string) => boolean}} props */
export function Users({ me, may }) {
  const { items, error, isCut, reload } = useList("v1/users");
  const creating = useChange();
  const changing = useChange();
  const create = async (/** @type {any} */ fields, /** @type {HTMLFormElement} */ form) => {
    if (await creating.send("POST", "v1/users", fields)) form.reset(), reload();
  };
  const change = async (/** @type {any} */ user, /** @type {any} */ body) => {
    await changing.send("PATCH", `v1/users/${encodeURIComponent(user.name)}`, body);
    reload();
  };
  return html`<section aria-labelledby="users-title"><h2 id="users-title">Users</h2><${Trouble} error=${error ?? changing.error} retry=${reload} />
    ${may("create_user") && html`<${SmallForm} title="A new user" button="Create" change=${creating} onSend=${create}><${Field} label="name" name="name" required maxlength="63" /><${Field} label="tenant" name="tenant" placeholder="none" maxlength="63" />
      <span class="choice"><label for="user-role">role</label><select id="user-role" name="role"><option value="">any</option>${ROLES.map((role) => html`<option key=${role}>${role}</option>`)}</select></span></${SmallForm}>`}
    <${PlainTable} caption="Users" columns=${[["user"], ["tenant"], ["role at most"], ["created", "when"], ["state"], [""]]} rows=${(items ?? []).map((user) => [
      user.name,
      user.tenant ?? html`<span class="quiet">none</span>`,
      html`<${RoleOf} user=${user} me=${me} mayChange=${may("change_user")} onChange=${(/** @type {string} */ role) => change(user, { role: role || null })} />`,
      html`<${Ago} at=${user.created_at} />`,
      user.is_disabled ? html`disabled <${Ago} at=${user.disabled_at} />` : "in use",
      may("change_user") && html`<button class="small" disabled=${changing.isBusy} aria-label=${`${user.is_disabled ? "enable" : "disable"} ${user.name}`}
        onClick=${() => change(user, { is_disabled: !user.is_disabled })}>${user.is_disabled ? "enable" : "disable"}</button>`,
    ])}>
      ${items && html`<${Empty} command="medley users create NAME --tenant TENANT">There are no users yet; tokens need none.</${Empty}>`}</${PlainTable}>
    <p class="quiet">Of a disabled user no token and no login opens anything. Who comes by the organisation's login gets tenant and role anew with each.</p>
    ${isCut && html`<p class="quiet">There are more: medley users lists them all.</p>`}
  </section>`;
}

/** @param {{user: any, me: any, mayChange: boolean, onChange: (role: string) => void}} props */
function RoleOf({ user, me, mayChange, onChange }) {
  if (!mayChange) return user.role ?? html`<span class="quiet">any</span>`;
  const roles = user.tenant || me.tenant ? TENANT_ROLES : ROLES;
  return html`<select aria-label=${`role of ${user.name}`} value=${user.role ?? ""} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
    <option value="" selected=${!user.role}>any</option>${roles.map((role) => html`<option key=${role} selected=${role === user.role}>${role}</option>`)}</select>`;
}
