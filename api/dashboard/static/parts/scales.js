// @ts-check
/** Where marks of an axis stand, and paths through points: pure arithmetic for the charts. */

const STEPS = [1, 2, 2.5, 5, 10];
const TIMES_S = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/** Round numbers from `low` to `high`, about `count` of them, at least `least` apart. @param {number} low @param {number} high @param {number} count @param {number} [least] @returns {number[]} */
export function ticks(low, high, count, least = 0) {
  if (!(high > low)) return [low];
  const rough = Math.max((high - low) / count, least);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * /** @type {number} */ (STEPS.find((one) => one * power >= rough) ?? 10);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

/** Round times of the reader's clock, in ms. @param {number} from @param {number} to @param {number} count @returns {number[]} */
export function timeTicks(from, to, count) {
  const rough = (to - from) / 1000 / count;
  const step = 1000 * (TIMES_S.find((one) => one >= rough) ?? Math.ceil(rough / 604_800) * 604_800);
  const shift = new Date(from).getTimezoneOffset() * 60_000;
  const found = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) found.push(at);
  return found;
}

/** A time as an axis shows it. @param {number} at @param {number} span in ms, of the whole axis @returns {string} */
export function timeText(at, span) {
  const when = new Date(at);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  if (span > 3 * 86_400_000) return `${two(when.getMonth() + 1)}-${two(when.getDate())}`;
  const seconds = span < 300_000 ? `:${two(when.getSeconds())}` : "";
  return `${two(when.getHours())}:${two(when.getMinutes())}${seconds}`;
}

/**
 * A line through points; a gap where there is no figure.
 * @param {([number, number] | null)[]} points @returns {string} path of SVG
 */
export function linePath(points) {
  let path = "";
  let isOn = false;
  for (const point of points) {
    if (point) path += `${isOn ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    isOn = point !== null;
  }
  return path;
}

/**
 * The area between two lines of the same points; nothing where either has a gap.
 * @param {([number, number] | null)[]} upper @param {([number, number] | null)[]} lower @returns {string}
 */
export function areaPath(upper, lower) {
  let path = "";
  /** @type {number[]} */
  let run = [];
  const close = () => {
    if (run.length > 1) {
      const there = run.map((index) => /** @type {[number, number]} */ (upper[index]));
      const back = run.toReversed().map((index) => /** @type {[number, number]} */ (lower[index]));
      path += `${linePath(there)}${linePath(back).replace("M", "L")}Z`;
    }
    run = [];
  };
  upper.forEach((point, index) => (point && lower[index] ? run.push(index) : close()));
  close();
  return path;
}

/** The points that no line reaches: those between two gaps. @param {([number, number] | null)[]} points @returns {[number, number][]} */
export function lonePoints(points) {
  return /** @type {[number, number][]} */ (points.filter((point, index) => point && !points[index - 1] && !points[index + 1]));
}

/** The index of the position nearest to `at`; positions ascend. @param {number[]} positions @param {number} at @returns {number} */
export function nearest(positions, at) {
  let best = 0;
  for (let index = 1; index < positions.length; index++) {
    if (Math.abs(positions[index] - at) <= Math.abs(positions[best] - at)) best = index;
  }
  return best;
}
