// @ts-check
/**
 * A chart of lines and stacked areas. Its figures stand beside it in words, at the place where the pointer is or the
 * arrow keys lead, else the latest; each line has a pattern of its own beside its colour.
 */

import { html, useEffect, useRef, useState } from "../view.js";
import { areaPath, linePath, lonePoints, nearest, ticks, timeText, timeTicks } from "./scales.js";

const LEFT = 46;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;

/**
 * @typedef {{name: string, values: (number | null)[], shape: "line" | "area", look: string}} Series `look` is a class
 * @typedef {{label: string, positions: number[], series: Series[], format: (value: number) => string, isTime?: boolean,
 *   height?: number, fromZero?: boolean, positionText?: (at: number) => string, most?: number, leastTick?: number}} ChartProps
 */

/** @param {ChartProps} props */
export function Chart({ label, positions, series, format, isTime = true, height = 200, fromZero = true, positionText, most = 0, leastTick = 0 }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(600);
  const [chosen, setChosen] = useState(/** @type {number | null} */ (null));
  useEffect(() => {
    const sizes = new ResizeObserver(() => frame.current && setWidth(Math.max(200, frame.current.clientWidth)));
    if (frame.current) sizes.observe(frame.current);
    return () => sizes.disconnect();
  }, []);
  if (!positions.length) return null;

  const levels = stack(series);
  const figures = levels.flatMap(({ upper }) => upper).filter((value) => value !== null);
  const low = fromZero ? 0 : Math.min(...figures);
  const high = Math.max(...figures, most, low + (fromZero ? 1 : 1e-9));
  const [from, to] = [positions[0], Math.max(positions.at(-1) ?? 0, positions[0] + 1)];
  const x = (/** @type {number} */ at) => LEFT + ((at - from) / (to - from)) * (width - LEFT - RIGHT);
  const y = (/** @type {number} */ value) => TOP + (1 - (value - low) / (high - low)) * (height - TOP - BOTTOM);
  const place = (/** @type {(number | null)[]} */ values) => values.map((value, index) => (value === null ? null : /** @type {[number, number]} */ ([x(positions[index]), y(value)])));
  const latest = positions.findLastIndex((_, index) => series.some((one) => one.values[index] !== null));
  const at = Math.min(chosen ?? Math.max(latest, 0), positions.length - 1);
  const span = to - from;
  const sayPosition = positionText ?? ((/** @type {number} */ when) => new Date(when).toLocaleString("en-GB", { hour12: false }));

  const point = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {SVGElement} */ (event.currentTarget).getBoundingClientRect();
    setChosen(nearest(positions, from + ((event.clientX - box.left - LEFT) / (width - LEFT - RIGHT)) * span));
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: positions.length - 1 });
    if (event.key === "Escape") setChosen(null);
    if (!(event.key in steps)) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(positions.length - 1, steps[event.key])));
  };

  return html`<figure class="chart" ref=${frame}>
    <figcaption><ul class="legend" aria-live=${chosen === null ? "off" : "polite"}>
      <li class="quiet">${chosen === null ? "latest" : ""} ${sayPosition(positions[at])}</li>
      ${series.map((one) => html`<li key=${one.name}><span class=${`swatch ${one.look} ${one.shape}`}></span>${one.name} <b class="number">${one.values[at] === null ? "–" : format(/** @type {number} */ (one.values[at]))}</b></li>`)}
    </ul></figcaption>
    <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} tabindex="0" role="img" aria-label=${`${label}. Arrow keys move through it.`}
      onPointerMove=${point} onPointerLeave=${() => setChosen(null)} onKeyDown=${onKey} onBlur=${() => setChosen(null)}>
      <defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="5" height="5" /><line class="hatch-line" x1="0" y1="0" x2="0" y2="5" /></pattern></defs>
      ${ticks(low, high, 4, leastTick).map((value) => html`<g key=${`y${value}`} class="tick"><line x1=${LEFT} x2=${width - RIGHT} y1=${y(value)} y2=${y(value)} /><text x=${LEFT - 6} y=${y(value) + 4} text-anchor="end">${format(value)}</text></g>`)}
      ${(isTime ? timeTicks(from, to, width / 110) : ticks(from, to, width / 110)).map((value) => html`<g key=${`x${value}`} class="tick"><line x1=${x(value)} x2=${x(value)} y1=${height - BOTTOM} y2=${height - BOTTOM + 4} /><text x=${x(value)} y=${height - 5} text-anchor="middle">${isTime ? timeText(value, span) : value}</text></g>`)}
      ${levels.map(({ one, upper, lower }) => html`<g key=${one.name} class=${one.look}>
        ${one.shape === "area" && html`<path class="area" d=${areaPath(place(upper), place(lower))} />`}
        <path class="line" d=${linePath(place(upper))} />
        ${lonePoints(place(upper)).map(([cx, cy]) => html`<circle key=${cx} class="point" cx=${cx} cy=${cy} r="3" />`)}
      </g>`)}
      ${chosen !== null && html`<line class="cursor" x1=${x(positions[at])} x2=${x(positions[at])} y1=${TOP} y2=${height - BOTTOM} />`}
    </svg>
  </figure>`;
}

/** Areas stand on each other, lines for themselves. @param {Series[]} series */
function stack(series) {
  /** @type {(number | null)[]} */
  let ground = [];
  return series.map((one) => {
    if (one.shape === "line") return { one, upper: one.values, lower: one.values };
    const lower = one.values.map((_, index) => ground[index] ?? 0);
    const upper = one.values.map((value, index) => (value === null ? null : value + (lower[index] ?? 0)));
    ground = upper;
    return { one, upper, lower };
  });
}
