// @ts-check
/** Where the reader is: the part of the address after `#`, such as `#/jobs?state=queued`. */

import { useEffect, useState } from "./view.js";

/** @typedef {{ path: string[], query: URLSearchParams, text: string }} Route */

/**
 * Read an address.
 * @param {string} hash such as `#/jobs/01jd3v9k2m0a7b4c?tab=logs`
 * @returns {Route}
 */
export function parseRoute(hash) {
  const text = hash.replace(/^#\/?/, "");
  const [path, query] = text.split(/\?(.*)/s);
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query ?? ""), text };
}

/** @param {string} part @returns {string} */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * Write an address; what is empty in the query is left out.
 * @param {string[]} path
 * @param {Record<string, string | null | undefined>} [query]
 * @returns {string}
 */
export function routeTo(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** Follow the address. @returns {Route} */
export function useRoute() {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

/**
 * Change what is asked for on this screen without a new entry in the history.
 * @param {Route} route
 * @param {Record<string, string | null>} changes
 */
export function refine(route, changes) {
  const query = { ...Object.fromEntries(route.query), ...changes };
  history.replaceState(null, "", routeTo(route.path, query));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
