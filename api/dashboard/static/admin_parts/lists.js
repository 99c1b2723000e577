// @ts-check
/** Whole lists of things that are few: tenants, users, tokens. */

import { readPages } from "../data/api.js";
import { useCallback, useEffect, useState } from "../view.js";

const PAGE = 200;
const MOST = 2000;

/** @param {string} path @returns {{items: any[] | null, error: any, isCut: boolean, reload: () => void}} */
export function useList(path) {
  const [state, setState] = useState(/** @type {any} */ ({ items: null, error: null, isCut: false }));
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    /** @type {any[]} */
    const found = [];
    let isCut = false;
    readPages(path, { limit: PAGE }, (items, next) => {
      found.push(...items);
      isCut = found.length >= MOST && next !== null;
      return isCut;
    }, ending.signal).then(
      () => setState({ items: found, error: null, isCut }),
      (error) => ending.signal.aborted || setState((/** @type {any} */ before) => ({ ...before, error })),
    );
    return () => ending.abort();
  }, [path, tries]);
  return { ...state, reload: useCallback(() => setTries((count) => count + 1), []) };
}
