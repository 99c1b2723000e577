// @ts-check
/** Output of many ranks as lines that a page can show: bounded in number and length, and harmless. */

const MOST_LINES = 10_000;
export const LONGEST_LINE = 2000;
const COLOURS = /\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** @typedef {{key: number, attempt: number, rank: number, text: string, cut: number}} Line `cut`: characters that are not shown */

/** Take colours out, and show other control characters instead of obeying them. @param {string} text @returns {string} */
export function printable(text) {
  return text.replace(COLOURS, "").replace(CONTROLS, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\ufffd";
  });
}

/** Keeps the latest lines of all ranks; a line that is not ended goes on with the next piece of its rank. */
export class LogLines {
  constructor() {
    /** @type {Line[]} */
    this.lines = [];
    this.dropped = 0;
    this.next = 0;
    /** @type {Map<string, Line>} lines that are not ended, by attempt and rank */
    this.open = new Map();
  }

  /** @param {{attempt: number, rank: number, text: string, skipped_bytes: number}} entry */
  add({ attempt, rank, text, skipped_bytes: skipped }) {
    if (skipped) this.push(attempt, rank, `(${skipped.toLocaleString("en")} bytes of older output are no longer kept)`);
    const key = `${attempt}.${rank}`;
    const pieces = text.replace(/\r\n/g, "\n").split("\n");
    pieces.forEach((piece, index) => {
      const isLast = index === pieces.length - 1;
      const open = this.open.get(key);
      if (open) this.extend(open, piece);
      else if (piece || !isLast) this.open.set(key, this.push(attempt, rank, piece));
      if (!isLast) this.open.delete(key);
    });
    const surplus = this.lines.length - MOST_LINES;
    if (surplus > 0) {
      this.lines.splice(0, surplus);
      this.dropped += surplus;
    }
  }

  /** @param {number} attempt @param {number} rank @param {string} text @returns {Line} */
  push(attempt, rank, text) {
    const line = { key: this.next++, attempt, rank, text: "", cut: 0 };
    this.extend(line, text);
    this.lines.push(line);
    return line;
  }

  /** @param {Line} line @param {string} text */
  extend(line, text) {
    const room = Math.max(0, LONGEST_LINE - line.text.length);
    line.text += printable(text.slice(0, room));
    line.cut += Math.max(0, text.length - room);
  }
}
