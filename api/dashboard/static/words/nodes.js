// @ts-check
/** Nodes and their devices, worked out from what the API says of them. */

/**
 * One device, or several that are held without a number.
 * @typedef {{chip: string, slot: number | null, use: "free" | "held" | "shared" | "foreign" | "unavailable",
 *   holders: {tenant: string, job: string | null, milli: number | null}[]}} Device
 */

/** @param {any} node @returns {string} */
export function nodeId(node) {
  return `${node.cluster}/${node.name}`;
}

const TAKES_NOTHING = new Set(["drained", "suspect", "gone"]);

/**
 * Every device of a node in the order of its numbers. Where the cluster picks devices, those held come first and
 * have no number.
 * @param {any} node @returns {Device[]}
 */
export function devicesOf(node) {
  const idle = TAKES_NOTHING.has(node.state) ? "unavailable" : "free";
  /** @type {Device[]} */
  const devices = [];
  let first = 0;
  for (const group of node.devices) {
    const mine = node.holdings.filter((/** @type {any} */ one) => one.chip === group.chip);
    const numbered = mine.some((/** @type {any} */ one) => one.slots.length > 0);
    const counted = mine.filter((/** @type {any} */ one) => !one.slots.length);
    /** @type {Device[]} */
    const those = Array.from({ length: group.count }, (_, index) => ({ chip: group.chip, slot: first + index, use: idle, holders: [] }));
    for (const holding of mine) hold(holding, those, first);
    if (counted.length) fill(counted, those, numbered);
    markForeign(group.foreign, those);
    devices.push(...those);
    first += group.count;
  }
  return devices;
}

/** @param {any} holding @param {Device[]} devices @param {number} first */
function hold(holding, devices, first) {
  const isShared = holding.devices === 0 && holding.share !== null;
  for (const slot of holding.slots) {
    const device = devices[slot - first];
    if (device === undefined) continue;
    device.use = isShared ? "shared" : "held";
    device.holders.push({ tenant: holding.tenant, job: holding.job, milli: isShared ? holding.share.milli : null });
  }
}

/** @param {any[]} holdings @param {Device[]} devices @param {boolean} keepsNumbers */
function fill(holdings, devices, keepsNumbers) {
  const open = devices.filter((device) => device.holders.length === 0);
  let next = 0;
  for (const holding of holdings) {
    for (let count = 0; count < holding.devices && next < open.length; count++, next++) {
      open[next].use = "held";
      open[next].holders.push({ tenant: holding.tenant, job: holding.job, milli: null });
    }
  }
  if (!keepsNumbers) for (const device of devices) device.slot = null;
}

/** @param {number} count @param {Device[]} devices */
function markForeign(count, devices) {
  for (const device of devices.filter((one) => one.holders.length === 0).slice(-count || devices.length)) {
    if (count > 0) device.use = "foreign";
  }
}

/** How many devices of a node are in which use. @param {Device[]} devices @returns {Record<Device["use"], number>} */
export function usesOf(devices) {
  const uses = { free: 0, held: 0, shared: 0, foreign: 0, unavailable: 0 };
  for (const device of devices) uses[device.use]++;
  return uses;
}

/** A node in one sentence, for those who do not see its picture. @param {any} node @param {Device[]} devices @returns {string} */
export function nodeSentence(node, devices) {
  const uses = usesOf(devices);
  const chips = node.devices.map((/** @type {any} */ group) => `${group.count} ${group.chip}`).join(" and ") || "no devices";
  const parts = [`${uses.held} held`, `${uses.free} free`];
  if (uses.shared) parts.push(`${uses.shared} shared`);
  if (uses.unavailable) parts.push(`${uses.unavailable} take nothing new`);
  if (uses.foreign) parts.push(`${uses.foreign} not by Medley`);
  return `${nodeId(node)}, ${node.state}: ${chips}, ${parts.join(", ")}`;
}

/** One device in one sentence. @param {Device} device @param {(job: string) => string} nameOf @returns {string} */
export function deviceSentence(device, nameOf) {
  const which = device.slot === null ? device.chip : `device ${device.slot}, ${device.chip}`;
  if (!device.holders.length) {
    const texts = { free: "free", foreign: "in use, not by Medley", unavailable: "free, but its node takes nothing new" };
    return `${which}: ${/** @type {Record<string, string>} */ (texts)[device.use] ?? device.use}`;
  }
  const holders = device.holders.map(({ tenant, job, milli }) => {
    const part = milli === null ? "" : `${milli / 10} % by `;
    return `${part}${job === null ? "a job" : nameOf(job)} of ${tenant}`;
  });
  return `${which}: held by ${holders.join(", ")}`;
}

const FRESH_MS = 120_000; // as the API's series count it

/**
 * What a job does with what it holds: whether it reports progress, has stopped to or not begun, or never said anything.
 * @param {import("../data/jobs.js").JobRow} row @param {number} now in ms @returns {"busy" | "idle" | "unreported"}
 */
export function workOf(row, now) {
  if (row.state !== "running") return "idle";
  if (!row.progress) return "unreported";
  return now - Date.parse(row.progress.at) <= FRESH_MS ? "busy" : "idle";
}

/** @typedef {{key: string, section: string, name: string, nodes: any[]}} NodeGroup `section` is a heading above several */

/**
 * Nodes in groups, all in the order of their names: chip types with their racks, racks, or clusters.
 * @param {any[]} nodes @param {"chip" | "rack" | "cluster"} by @returns {NodeGroup[]}
 */
export function groupNodes(nodes, by) {
  /** @type {Map<string, NodeGroup>} */
  const groups = new Map();
  for (const node of nodes) {
    for (const [section, name] of placesOf(node, by)) {
      const key = `${section}|${name}`;
      const group = groups.get(key) ?? { key, section, name, nodes: [] };
      group.nodes.push(node);
      groups.set(key, group);
    }
  }
  const { compare } = new Intl.Collator("en", { numeric: true });
  for (const group of groups.values()) group.nodes.sort((a, b) => compare(a.name, b.name));
  return [...groups.values()].sort((a, b) => compare(a.section, b.section) || compare(a.name, b.name));
}

/** @param {any} node @param {string} by @returns {[string, string][]} */
function placesOf(node, by) {
  if (by === "cluster") return [["", node.cluster]];
  const rack = node.topology.rack ? `${node.cluster} / ${node.topology.rack}` : `${node.cluster}, no rack`;
  const chips = node.devices.map((/** @type {any} */ group) => group.chip);
  if (by === "rack") return [["", rack]];
  return (chips.length ? chips : ["no devices"]).map((/** @type {string} */ chip) => [chip, rack]);
}

/** How much of one chip type is on some nodes, all of it where there is none named. @param {any[]} nodes @param {string} chip @returns {{devices: number, held: number}} */
export function countDevices(nodes, chip) {
  let devices = 0;
  let held = 0;
  for (const node of nodes) {
    for (const group of node.devices) {
      if (chip && group.chip !== chip) continue;
      devices += group.count;
      held += Math.min(group.count, group.held + Math.ceil(group.shared_milli / 1000));
    }
  }
  return { devices, held };
}
