// @ts-check
/**
 * A table of very many rows: only those in sight are drawn. Arrow keys move, Space chooses, Enter opens. A row that has
 * others `below` it is their head line: it says what they are, and chooses all of them.
 */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../view.js";

const SPARE_ROWS = 8;
const NARROW = matchMedia("(max-width: 700px)");

/**
 * @typedef {{key: string, title: string, cell: (row: any) => any, sortable?: boolean, kind?: string, width?: string}} Column
 * @typedef {{label: string, columns: Column[], rows: any[], hrefOf: (row: any) => string, sort: string,
 *   onSort: (sort: string) => void, chosen?: Set<string>, onChoose?: (ids: Set<string>) => void, nameOf: (row: any) => string,
 *   headText?: (head: any) => string}} TableProps
 */

/** The next `sort` when a title is pressed: `age`, then `-age`. @param {string} sort @param {string} key @returns {string} */
export function turned(sort, key) {
  return sort === key ? `-${key}` : key;
}

/** Which rows are to be drawn. @param {number} top @param {number} height @param {number} row @param {number} count @returns {[number, number]} */
export function inSight(top, height, row, count) {
  const first = Math.max(0, Math.floor(top / row) - SPARE_ROWS);
  return [Math.min(first, count), Math.min(count, Math.ceil((top + height) / row) + SPARE_ROWS)];
}

/** @param {TableProps} props */
export function LongTable({ label, columns, rows, hrefOf, sort, onSort, chosen, onChoose, nameOf, headText }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [isNarrow, setNarrow] = useState(NARROW.matches);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState(0);
  const wantsFocus = useRef(false);
  const rowHeight = isNarrow ? 44 : 28;
  const [first, last] = inSight(view.top, view.height, rowHeight, rows.length);
  const current = Math.min(active, Math.max(0, rows.length - 1));

  useEffect(() => {
    const change = () => setNarrow(NARROW.matches);
    const sizes = new ResizeObserver(() => frame.current && setView({ top: frame.current.scrollTop, height: frame.current.clientHeight }));
    NARROW.addEventListener("change", change);
    if (frame.current) sizes.observe(frame.current);
    return () => (NARROW.removeEventListener("change", change), sizes.disconnect());
  }, []);

  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    /** @type {HTMLElement | null | undefined} */ (frame.current?.querySelector(`tr[data-index="${current}"] a`))?.focus({ preventScroll: true });
  });

  const onScroll = () => {
    const { scrollTop, clientHeight } = /** @type {HTMLDivElement} */ (frame.current);
    if (Math.abs(scrollTop - view.top) > (SPARE_ROWS / 2) * rowHeight || clientHeight !== view.height) {
      setView({ top: scrollTop, height: clientHeight });
    }
  };
  const goTo = (/** @type {number} */ index) => {
    const target = Math.max(0, Math.min(rows.length - 1, index));
    const element = /** @type {HTMLDivElement} */ (frame.current);
    const head = rowHeight + 4;
    const top = target * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight + head > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight + head - element.clientHeight;
    wantsFocus.current = true;
    setActive(target);
    setView({ top: element.scrollTop, height: element.clientHeight });
  };
  const isChosen = (/** @type {any} */ row) => Boolean(chosen?.size) && idsOf(row).every((id) => chosen?.has(id));
  const toggle = (/** @type {any} */ row) => {
    if (!onChoose || !chosen) return;
    const next = new Set(chosen);
    const isOn = !isChosen(row);
    for (const id of idsOf(row)) isOn ? next.add(id) : next.delete(id);
    onChoose(next);
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const element = /** @type {HTMLElement} */ (event.target);
    if (element.tagName !== "A" && element !== frame.current) return;
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 2);
    const isHere = element.tagName === "A" ? current : -1;
    const steps = /** @type {Record<string, number>} */ ({
      ArrowDown: isHere + 1, ArrowUp: current - 1, PageDown: current + page, PageUp: current - page, Home: 0, End: rows.length - 1,
    });
    if (event.key in steps && rows.length) event.preventDefault(), goTo(steps[event.key]);
    else if (event.key === " " && element.tagName === "A" && onChoose) event.preventDefault(), toggle(rows[current]);
  };
  const isAll = Boolean(chosen?.size) && rows.every((row) => "below" in row || chosen?.has(row.id));
  const linkTo = (/** @type {any} */ row, /** @type {number} */ index, /** @type {any} */ text) =>
    html`<a href=${hrefOf(row)} tabindex=${index === current ? 0 : -1} onFocus=${() => index !== current && setActive(index)}>${text}</a>`;

  return html`<div class="long-table" ref=${frame} tabindex="0" role="region" aria-label=${label} onScroll=${onScroll} onKeyDown=${onKey}>
    <table aria-rowcount=${rows.length + 1} style=${{ "--row-height": `${rowHeight}px` }}>
      <colgroup>${onChoose && html`<col class="choose" />`}${columns.map((one) => html`<col key=${one.key} class=${one.kind ?? ""} style=${{ width: one.width ?? "" }} />`)}</colgroup>
      <thead><tr aria-rowindex="1">
        ${onChoose && html`<th class="choose"><input type="checkbox" aria-label="choose all that are listed" checked=${isAll}
          onChange=${() => onChoose(isAll ? new Set() : new Set(rows.flatMap((row) => ("below" in row ? [] : [row.id]))))} /></th>`}
        ${columns.map((one) => html`<${Title} key=${one.key} column=${one} sort=${sort} onSort=${onSort} />`)}
      </tr></thead>
      <tbody>
        ${first > 0 && html`<tr aria-hidden="true" style=${{ height: `${first * rowHeight}px` }}></tr>`}
        ${rows.slice(first, last).map((row, offset) => {
          const index = first + offset;
          const isHead = "below" in row;
          const kind = `${isHead ? "group-head" : ""} ${isChosen(row) ? "chosen" : ""}`.trim();
          return html`<tr key=${row.id} data-index=${index} aria-rowindex=${index + 2} class=${kind}>
            ${onChoose && html`<td class="choose"><input type="checkbox" tabindex=${index === current ? 0 : -1} checked=${isChosen(row)}
              aria-label=${isHead ? `choose all of ${row.name}` : `choose ${nameOf(row)}`} onChange=${() => toggle(row)} /></td>`}
            ${isHead
              ? columns.map((one, column) => (column === 0 ? html`<td key=${one.key} class="group-text">${linkTo(row, index, html`<b>${row.name}</b> ${headText?.(row)}`)}</td>` : html`<td key=${one.key} class=${one.kind ?? ""}></td>`))
              : columns.map((one, column) => {
                const cell = one.cell(row);
                return html`<td key=${one.key} class=${one.kind ?? ""} title=${typeof cell === "string" && cell ? cell : undefined}>${column === 0 ? linkTo(row, index, cell) : cell}</td>`;
              })}
          </tr>`;
        })}
        ${last < rows.length && html`<tr aria-hidden="true" style=${{ height: `${(rows.length - last) * rowHeight}px` }}></tr>`}
      </tbody>
    </table>
  </div>`;
}

/** What is chosen with a row: itself, or all below a head. @param {any} row @returns {string[]} */
function idsOf(row) {
  return "below" in row ? row.below.map((/** @type {{id: string}} */ { id }) => id) : [row.id];
}

/** @param {{column: Column, sort: string, onSort: (sort: string) => void}} props */
function Title({ column, sort, onSort }) {
  const order = sort === column.key ? "ascending" : sort === `-${column.key}` ? "descending" : undefined;
  if (!column.sortable) return html`<th scope="col" class=${column.kind ?? ""}>${column.title}</th>`;
  return html`<th scope="col" class=${column.kind ?? ""} aria-sort=${order}>
    <button class="title" onClick=${() => onSort(turned(sort, column.key))}>${column.title}<span aria-hidden="true">${order ? (order === "ascending" ? " ▲" : " ▼") : ""}</span></button>
  </th>`;
}
