// @ts-check
/**
 * The grid of devices: a link per node, a square per device. Groups are filled in when they come into sight. One stop
 * of the Tab key; arrow keys lead from node to node.
 */

import { routeTo } from "../route.js";
import { Component, html, useEffect, useMemo, useRef, useState } from "../view.js";
import { counted, whole } from "../words/amounts.js";
import { countDevices, deviceSentence, devicesOf, nodeId, nodeSentence } from "../words/nodes.js";

/** @typedef {{colour: string, tenants: string[], work: Map<string, string>, nameOf: (job: string) => string}} Looks */

/** @param {Looks & {groups: import("../words/nodes.js").NodeGroup[]}} props */
export function DeviceGrid({ groups, colour, tenants, work, nameOf }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [tip, setTip] = useState(/** @type {{text: string[], x: number, y: number} | null} */ (null));
  const [active, setActive] = useState("");
  const first = groups[0]?.nodes[0];
  const ids = useMemo(() => new Set(groups.flatMap((group) => group.nodes.map(nodeId))), [groups]);
  const current = ids.has(active) ? active : first ? nodeId(first) : "";
  const look = useMemo(() => ({ colour, tenants, work, nameOf }), [colour, tenants.join(), work, nameOf]);

  const say = (/** @type {HTMLElement} */ link, /** @type {number} */ slot, /** @type {number} */ x, /** @type {number} */ y) => {
    const node = /** @type {any} */ (link).node;
    if (!node) return;
    const devices = devicesOf(node);
    const lines = [nodeSentence(node, devices)];
    if (devices[slot]) lines.push(deviceSentence(devices[slot], nameOf));
    else lines.push(...new Set(devices.filter((one) => one.holders.length).map((one) => deviceSentence({ ...one, slot: null }, nameOf))));
    if (node.note) lines.push(node.note);
    setTip({ text: lines.slice(0, 6), x, y });
  };
  const hover = (/** @type {PointerEvent} */ event) => {
    const element = /** @type {HTMLElement} */ (event.target);
    const link = /** @type {HTMLElement | null} */ (element.closest("a.node"));
    if (!link) return setTip(null);
    const slot = element.classList.contains("device") ? [...(element.parentElement?.children ?? [])].indexOf(element) : -1;
    say(link, slot, event.clientX, event.clientY);
  };
  const focused = (/** @type {FocusEvent} */ event) => {
    const link = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("a.node"));
    if (!link) return;
    setActive(/** @type {string} */ (link.dataset.node));
    const box = link.getBoundingClientRect();
    if (link.matches(":focus-visible")) say(link, -1, box.left, box.bottom);
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const target = neighbour(/** @type {HTMLElement} */ (frame.current), event.key);
    if (event.key === "Escape") setTip(null);
    if (!target) return;
    event.preventDefault();
    target.focus();
  };
  return html`<div class="grid" ref=${frame} onPointerMove=${hover} onPointerLeave=${() => setTip(null)} onFocusIn=${focused} onFocusOut=${() => setTip(null)} onKeyDown=${onKey}>
    ${sectionsOf(groups).map(([section, those]) => html`<section key=${section} class="grid-section" aria-label=${section || "nodes"}>
      ${section && html`<h2>${section} <small>${saySum(those.flatMap((group) => group.nodes), section)}</small></h2>`}
      <div class="racks">${those.map((group) => html`<${Group} key=${group.key} group=${group} current=${group.nodes.some((node) => nodeId(node) === current) ? current : ""} look=${look} />`)}</div>
    </section>`)}
    ${tip && html`<div class="tip" role="status" style=${{ left: `${Math.max(8, Math.min(tip.x + 12, innerWidth - 330))}px`, top: `${Math.min(tip.y + 14, innerHeight - 120)}px` }}>${tip.text.map((line) => html`<div key=${line}>${line}</div>`)}</div>`}
  </div>`;
}

/** The link that a key leads to from the one with the focus. @param {HTMLElement} frame @param {string} key @returns {HTMLElement | undefined} */
function neighbour(frame, key) {
  const links = /** @type {HTMLElement[]} */ ([...frame.querySelectorAll("a.node")]);
  const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  if (at < 0) return undefined;
  if (key === "Home") return links[0];
  if (key === "End") return links.at(-1);
  if (key === "ArrowRight") return links[at + 1];
  if (key === "ArrowLeft") return links[at - 1];
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
  const here = links[at].getBoundingClientRect();
  const step = key === "ArrowDown" ? 1 : -1;
  /** @type {HTMLElement | undefined} */
  let best;
  let line = NaN;
  for (let index = at + step; links[index]; index += step) {
    const box = links[index].getBoundingClientRect();
    if (Math.abs(box.top - here.top) < 4) continue;
    if (Number.isNaN(line)) line = box.top;
    if (Math.abs(box.top - line) > 4) break;
    if (!best || Math.abs(box.left - here.left) < Math.abs(best.getBoundingClientRect().left - here.left)) best = links[index];
  }
  return best;
}

/** @param {import("../words/nodes.js").NodeGroup[]} groups @returns {[string, import("../words/nodes.js").NodeGroup[]][]} */
function sectionsOf(groups) {
  /** @type {Map<string, import("../words/nodes.js").NodeGroup[]>} */
  const sections = new Map();
  for (const group of groups) sections.set(group.section, [...(sections.get(group.section) ?? []), group]);
  return [...sections];
}

/** @param {any[]} nodes @param {string} chip @returns {string} */
function saySum(nodes, chip) {
  const { devices, held } = countDevices(nodes, chip);
  return `${counted(nodes.length, "node", "nodes")}, ${whole(held)} of ${counted(devices, "device", "devices")} held`;
}

/** @param {{group: import("../words/nodes.js").NodeGroup, current: string, look: Looks}} props */
function Group({ group: { name, nodes, section }, current, look }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const sight = new IntersectionObserver(([entry]) => setNear(entry.isIntersecting), { rootMargin: "600px" });
    if (element.current) sight.observe(element.current);
    return () => sight.disconnect();
  }, []);
  return html`<div class="rack" ref=${element} role="group" aria-label=${name}>
    <h3>${name}${section ? "" : html` <small>${saySum(nodes, "")}</small>`}</h3>
    ${nodes.map((node) => html`<${NodeLink} key=${nodeId(node)} node=${node} isActive=${nodeId(node) === current} isNear=${isNear} look=${look} />`)}
  </div>`;
}

/** One node; drawn anew only where it, its place in the order of the keyboard, or its looks changed. */
class NodeLink extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const { node, isActive, isNear, look } = this.props;
    return node !== next.node || isActive !== next.isActive || isNear !== next.isNear || look !== next.look;
  }

  render() {
    const { node, isActive, isNear, look } = this.props;
    const devices = devicesOf(node);
    return html`<a class=${`node node-${node.state}`} href=${routeTo(["nodes", node.cluster, node.name])} tabindex=${isActive ? 0 : -1}
      data-node=${nodeId(node)} ref=${(/** @type {any} */ link) => link && (link.node = node)} aria-label=${nodeSentence(node, devices)}>
      <span class="node-name">${node.name}</span>
      <span class="devices" aria-hidden="true" style=${isNear ? undefined : { minWidth: `${devices.length * 11}px` }}>${isNear && devices.map((device, index) => html`<i key=${index} class=${`device device-${lookOf(device, node, look)}`}></i>`)}</span>
    </a>`;
  }
}

/** @param {import("../words/nodes.js").Device} device @param {any} node @param {Looks} look @returns {string} */
function lookOf(device, node, { colour, tenants, work }) {
  if (colour === "state") return node.state === "ready" ? "ok" : node.state;
  if (colour === "use" || !device.holders.length) return device.use;
  if (colour === "work") {
    const what = work.get(device.holders[0].job ?? "");
    return what === undefined ? "other" : `work-${what}`;
  }
  const index = tenants.indexOf(device.holders[0].tenant);
  return index < 0 ? "other" : `tenant-${index}`;
}
