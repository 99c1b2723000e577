// @ts-check
/** Tenants. */

import { Ago, Empty, Field, PlainTable, Trouble } from "../parts/small.js";
import { html } from "../view.js";
import { SmallForm, useChange } from "./form.js";
import { useList } from "./lists.js";

/** @param {{may: (name: string) => boolean}} props */
export function Tenants({ may }) {
  const { items, error, reload } = useList("v1/tenants");
  const change = useChange();
  const create = async (/** @type {any} */ fields, /** @type {HTMLFormElement} */ form) => {
    if (await change.send("POST", "v1/tenants", fields)) form.reset(), reload();
  };
  return html`<section aria-labelledby="tenants-title"><h2 id="tenants-title">Tenants</h2><${Trouble} error=${error} retry=${reload} />
    ${may("create_tenant") && html`<${SmallForm} title="A new tenant" button="Create" change=${change} onSend=${create}><${Field} label="name" name="name" required maxlength="63" /></${SmallForm}>`}
    <${PlainTable} caption="Tenants" columns=${[["tenant"], ["created", "when"], [""]]} rows=${(items ?? []).map((tenant) => [tenant.name, html`<${Ago} at=${tenant.created_at} />`, html`<a href=${`#/admin?part=quotas&tenant=${encodeURIComponent(tenant.name)}`}>quotas of ${tenant.name}</a>`])}>
      ${items && html`<${Empty} command="medley tenants create NAME">There are no tenants yet.</${Empty}>`}</${PlainTable}>
  </section>`;
}
