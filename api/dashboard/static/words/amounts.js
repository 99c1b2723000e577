// @ts-check
/** Moments, durations and amounts as the `medley` command says them. */

const UNITS = /** @type {[number, string][]} */ ([[86_400, "d"], [3_600, "h"], [60, "min"]]);
const MIB_PER_GIB = 1024;

/** A duration in its two largest units at most: `4 s`, `3 min 20 s`, `2 d 4 h`. @param {number} seconds @returns {string} */
export function duration(seconds) {
  let left = Math.max(0, Math.floor(seconds));
  const parts = [];
  for (const [size, unit] of UNITS) {
    if (left >= size) {
      parts.push(`${Math.floor(left / size)} ${unit}`);
      left %= size;
    }
  }
  if (left || !parts.length) parts.push(`${left} s`);
  return parts.slice(0, 2).join(" ");
}

/** A duration in its largest unit: `3 min`. @param {number} seconds @returns {string} */
export function age(seconds) {
  return duration(seconds).split(" ").slice(0, 2).join(" ");
}

/** A time of the API in words, from now. @param {string} text @param {number} now in ms @returns {string} */
export function ago(text, now) {
  const seconds = (now - Date.parse(text)) / 1000;
  return seconds >= -1 ? `${age(seconds)} ago` : `in ${age(-seconds)}`;
}

/** A time of the API to the second, in UTC. @param {string} text @returns {string} */
export function absolute(text) {
  return new Date(text).toISOString().replace(/\.\d+/, "");
}

/** @param {number | null | undefined} mib @returns {string} */
export function memory(mib) {
  if (mib === null || mib === undefined) return "?";
  return mib > 0 && mib < MIB_PER_GIB ? `${mib} MiB` : `${Math.round((mib / MIB_PER_GIB) * 10) / 10} GiB`;
}

/** Milli-cores in cores. @param {number} milli @returns {string} */
export function cores(milli) {
  return String(milli / 1000);
}

/** @param {number} number @returns {string} */
export function whole(number) {
  return Math.round(number).toLocaleString("en");
}

/** @param {number} number @param {string} one @param {string} many @returns {string} */
export function counted(number, one, many) {
  return `${whole(number)} ${number === 1 ? one : many}`;
}

/** @param {number} part @param {number} of @returns {string} */
export function percent(part, of) {
  return of ? `${Math.round((100 * part) / of)} %` : "–";
}

/** A figure with four digits that count. @param {number} number @returns {string} */
export function figure(number) {
  if (!Number.isFinite(number)) return String(number);
  if (Math.abs(number) >= 10_000) return whole(number);
  return String(Number(number.toPrecision(4)));
}
