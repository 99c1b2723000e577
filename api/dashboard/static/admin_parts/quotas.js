// @ts-check
/** Quotas of one tenant: the most devices of a chip type that it may hold at once. */

import { useAsked } from "../data/watching.js";
import { Choice, Empty, Field, PlainTable, Trouble, UseBar } from "../parts/small.js";
import { html } from "../view.js";
import { whole } from "../words/amounts.js";
import { SmallForm, useChange } from "./form.js";
import { useList } from "./lists.js";

/** @param {{me: any, may: (name: string) => boolean, route: any, choose: (changes: Record<string, string>) => void}} props */
export function Quotas({ me, may, route, choose }) {
  return may("list_tenants") ? html`<${OfAny} may=${may} route=${route} choose=${choose} />` : html`<${OfTenant} tenant=${me.tenant} may=${may} />`;
}

/** @param {{may: any, route: any, choose: any}} props */
function OfAny({ may, route, choose }) {
  const { items, error, reload } = useList("v1/tenants");
  const names = (items ?? []).map((tenant) => tenant.name);
  const tenant = names.includes(route.query.get("tenant")) ? route.query.get("tenant") : names[0];
  return html`<${Trouble} error=${error} retry=${reload} />
    ${items && !names.length && html`<${Empty} command="medley tenants create NAME">There are no tenants yet.</${Empty}>`}
    ${tenant && html`<${Choice} label="tenant" value=${tenant} options=${names} onChange=${(/** @type {string} */ value) => choose({ tenant: value })} /><${OfTenant} key=${tenant} tenant=${tenant} may=${may} />`}`;
}

/** @param {{tenant: string, may: (name: string) => boolean}} props */
function OfTenant({ tenant, may }) {
  const quotas = useAsked(`v1/tenants/${tenant}/quotas`, { isList: true, concerns: ({ kind }) => kind.startsWith("quota-") });
  const use = useAsked("v1/utilisation");
  const chips = useAsked("v1/chips", { isList: true, everyMs: 300_000 });
  const change = useChange();
  const set = async (/** @type {any} */ { chip, devices }, /** @type {HTMLFormElement} */ form) => {
    if (await change.send("PUT", `v1/tenants/${tenant}/quotas/${encodeURIComponent(chip)}`, { devices: Number(devices) })) form.reset(), quotas.reload();
  };
  const lift = async (/** @type {string} */ chip) => {
    if (await change.send("DELETE", `v1/tenants/${tenant}/quotas/${encodeURIComponent(chip)}`)) quotas.reload();
  };
  const held = (/** @type {string} */ chip) => use.data?.tenants.find((/** @type {any} */ one) => one.tenant === tenant && one.chip === chip)?.devices_held ?? 0;
  return html`<section aria-labelledby="quotas-title"><h2 id="quotas-title">Quotas of ${tenant}</h2><${Trouble} error=${quotas.error} retry=${quotas.reload} />
    ${may("set_quota") && html`<${SmallForm} title="Limit a chip type" button="Set" change=${change} onSend=${set}>
      <span class="choice"><label for="quota-chip">chip</label><select id="quota-chip" name="chip" required>${(chips.data?.items ?? []).map((/** @type {any} */ chip) => html`<option key=${chip.name}>${chip.name}</option>`)}</select></span>
      <${Field} label="devices" name="devices" type="number" min="0" max="1000000" required /></${SmallForm}>`}
    <${PlainTable} caption="Quotas" columns=${[["chip"], ["held", "number"], ["quota", "number"], ["of quota", "bar-cell"], [""]]} rows=${(quotas.data?.items ?? []).map((/** @type {any} */ quota) => [
      quota.chip, whole(held(quota.chip)), whole(quota.devices), html`<${UseBar} held=${held(quota.chip)} of=${quota.devices} label="of its quota held" />`,
      may("lift_quota") && html`<button class="small" onClick=${() => lift(quota.chip)}>lift the limit on ${quota.chip}</button>`,
    ])}>${quotas.data && html`<${Empty} command=${`medley quota set ${tenant} CHIP DEVICES`}>No limits: ${tenant} may use all there is.</${Empty}>`}</${PlainTable}>
  </section>`;
}
