// @ts-check
/** One node: its state, what is held of it and by whom. */

import { SmallForm, useChange } from "../admin_parts/form.js";
import { jobs } from "../data/jobs.js";
import { useAsked, useChanges } from "../data/watching.js";
import { Ago, Command, Empty, Field, Figures, Freshness, PlainTable, Trouble, UseBar } from "../parts/small.js";
import { routeTo } from "../route.js";
import { html, useEffect } from "../view.js";
import { cores, memory } from "../words/amounts.js";
import { deviceSentence, devicesOf, usesOf } from "../words/nodes.js";
import { jobName } from "./nodes.js";

/** @param {{route: import("../route.js").Route, may: (name: string) => boolean}} props */
export function Node({ route, may }) {
  const [, cluster, name] = route.path;
  const id = `${cluster}/${name}`;
  useEffect(() => jobs.want(), []);
  useChanges(jobs);
  const asked = useAsked("v1/nodes", { query: { node: id }, concerns: ({ kind }) => kind.startsWith("group-") || kind === "node-seen" });
  const node = asked.data?.items[0];
  return html`<div class="screen">
    <p class="crumbs"><a href="#/nodes">Nodes</a> / ${cluster} /</p>
    <div class="head"><h1>${name}</h1><${Freshness} at=${asked.at} error=${asked.error} /></div>
    <${Trouble} error=${asked.error} retry=${asked.reload} />
    ${asked.data && !node && html`<${Empty} command="medley nodes">There is no node ${id}, or it is gone and nothing is held there.</${Empty}>`}
    ${node && html`<${Facts} node=${node} /><${Drain} node=${node} may=${may} reload=${asked.reload} />`}
  </div>`;
}

/** Who drained it; and draining and undraining, for those who may. @param {{node: any, may: (name: string) => boolean, reload: () => void}} props */
function Drain({ node, may, reload }) {
  const change = useChange();
  const path = `v1/nodes/${encodeURIComponent(node.cluster)}/${encodeURIComponent(node.name)}/drain`;
  const drain = async (/** @type {Record<string, string>} */ { note }) => {
    if (await change.send("PUT", path, { note: note ?? "" })) reload();
  };
  const undrain = async () => {
    if (await change.send("DELETE", path)) reload();
  };
  if (!node.drain && !may("drain_node")) return null;
  return html`<section aria-labelledby="drain-title"><h2 id="drain-title">Draining</h2>
    ${node.drain && html`<p class="note">Drained by ${node.drain.by}, <${Ago} at=${node.drain.at} />${node.drain.note && `: ${node.drain.note}`}. What runs here goes on; nothing new is placed.</p>`}
    ${node.drain && may("undrain_node") && html`<button disabled=${change.isBusy} onClick=${undrain}>Take it into use again</button><${Trouble} error=${change.error} />`}
    ${!node.drain && html`<${SmallForm} title="Place nothing new here" button="Drain" change=${change} onSend=${drain}><${Field} label="why" name="note" maxlength="200" /></${SmallForm}>`}
  </section>`;
}

/** @param {{node: any}} props */
function Facts({ node }) {
  const devices = devicesOf(node);
  const uses = usesOf(devices);
  const items = [
    ["state", node.state, node.text],
    ["devices", String(devices.length), node.devices.map((/** @type {any} */ group) => `${group.count} ${group.chip} of ${memory(group.memory_mib)}`).join(", ")],
    ["held", String(uses.held + uses.shared), `${uses.free} free`],
    ["cpu held", `${cores(node.cpu_milli_held)} of ${cores(node.cpu_milli)}`, "cores"],
    ["memory held", memory(node.memory_mib_held), `of ${memory(node.memory_mib)}`],
    ["only for", node.tenant ?? "anybody", node.tenant ? "tenant" : ""],
  ];
  const pairs = [...Object.entries(node.topology), ...Object.entries(node.labels)];
  return html`
    ${node.note && html`<p class="note">${node.note}</p>`}
    <${Figures} items=${items} />
    <section aria-labelledby="devices-title"><h2 id="devices-title">Devices</h2>
      <div class="device-row" aria-hidden="true">${devices.map((device, index) => html`<i key=${index} class=${`device large device-${device.use}`} title=${deviceSentence(device, jobName)}></i>`)}</div>
      <${PlainTable} caption="Devices" columns=${[["device", "number"], ["chip"], ["use"], ["job"], ["tenant"]]} rows=${devices.map((device) => [
        device.slot === null ? "–" : device.slot,
        device.chip,
        useText(device),
        device.holders.map((one, at) => [at ? ", " : "", one.job ? html`<a href=${routeTo(["jobs", one.job])}>${jobName(one.job)}</a>` : "of another tenant"]),
        device.holders.map((one) => one.tenant).join(", "),
      ])}><${Empty}>This node has no devices: workers that need none run here.</${Empty}></${PlainTable}>
    </section>
    <section aria-labelledby="rest-title"><h2 id="rest-title">CPU and memory</h2>
      <p>cpu <${UseBar} held=${node.cpu_milli_held} of=${node.cpu_milli} other=${node.foreign.cpu_milli} /> · memory <${UseBar} held=${node.memory_mib_held} of=${node.memory_mib} other=${node.foreign.memory_mib} /> · at most ${node.pods} workers</p>
    </section>
    ${pairs.length > 0 && html`<section aria-labelledby="labels-title"><h2 id="labels-title">Where it stands, and labels</h2><ul class="pairs">${pairs.map(([key, value]) => html`<li key=${key}><code>${key}=${value}</code></li>`)}</ul></section>`}
    <${Command} text=${`medley nodes --cluster ${node.cluster}`} />`;
}

/** @param {import("../words/nodes.js").Device} device @returns {string} */
function useText(device) {
  if (device.use === "shared") return device.holders.map((one) => `${(one.milli ?? 0) / 10} %`).join(" + ");
  return { free: "free", held: "held", foreign: "not by Medley", unavailable: "free, takes nothing new" }[device.use] ?? device.use;
}
