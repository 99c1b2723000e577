// @ts-check
/** People. */

import { Ago, Empty, Field, PlainTable, Trouble } from "../parts/small.js";
import { html } from "../view.js";
import { SmallForm, useChange } from "./form.js";
import { useList } from "./lists.js";

/** @param {{may: (name: string) => boolean}} props */
export function Users({ may }) {
  const { items, error, reload } = useList("v1/users");
  const change = useChange();
  const create = async (/** @type {any} */ fields, /** @type {HTMLFormElement} */ form) => {
    if (await change.send("POST", "v1/users", fields)) form.reset(), reload();
  };
  return html`<section aria-labelledby="users-title"><h2 id="users-title">Users</h2><${Trouble} error=${error} retry=${reload} />
    ${may("create_user") && html`<${SmallForm} title="A new user" button="Create" change=${change} onSend=${create}><${Field} label="name" name="name" required maxlength="63" /><${Field} label="tenant" name="tenant" placeholder="none" maxlength="63" /></${SmallForm}>`}
    <${PlainTable} caption="Users" columns=${[["user"], ["tenant"], ["created", "when"]]} rows=${(items ?? []).map((user) => [user.name, user.tenant ?? html`<span class="quiet">none</span>`, html`<${Ago} at=${user.created_at} />`])}>
      ${items && html`<${Empty} command="medley users create NAME --tenant TENANT">There are no users yet; tokens need none.</${Empty}>`}</${PlainTable}>
  </section>`;
}
