// @ts-check
/**
 * Who is logged in: with a token, which lives in this tab's session storage and leaves it as a header only; or with a
 * session that the server keeps in a cookie no script can read. With a session, what changes something carries the
 * word that `v1/whoami` gave.
 */

const KEY = "medley-token";
const SESSION_KEY = "medley-session";
const BACK = "session"; // in the address of the page that a login comes back to

/** @type {Set<() => void>} */
const listeners = new Set();
let ended = "";
let word = "";

if (new URLSearchParams(location.search).has(BACK)) {
  sessionStorage.setItem(SESSION_KEY, "cookie");
  history.replaceState(null, "", location.pathname + location.hash);
}

/** Where a login over an issuer begins. @param {URL} begin @returns {string} */
export function loginAddress(begin) {
  begin.searchParams.set("return_to", `${location.pathname}?${BACK}`);
  return begin.href;
}

/** @returns {boolean} */
export function isLoggedIn() {
  return sessionStorage.getItem(KEY) !== null || hasSession();
}

/** Whether it is the server that remembers who is logged in. @returns {boolean} */
export function hasSession() {
  return sessionStorage.getItem(SESSION_KEY) !== null;
}

/** Why the last session ended, for people; empty where it did not. @returns {string} */
export function whyEnded() {
  return ended;
}

/** Add what says who is asking. @param {Record<string, string>} headers @returns {Record<string, string>} */
export function authorise(headers) {
  const token = sessionStorage.getItem(KEY);
  if (token !== null) return { ...headers, Authorization: `Bearer ${token}` };
  return word ? { ...headers, "X-CSRF-Token": word } : headers;
}

/** Keep what `v1/whoami` says that a session's changes carry. @param {{csrf_token?: string | null}} me */
export function keepWord(me) {
  word = me.csrf_token ?? "";
}

/** @param {string} token */
export function logIn(token) {
  ended = "";
  sessionStorage.setItem(KEY, token.trim());
  tell();
}

/** @param {string} [why] for people */
export function logOut(why = "") {
  ended = why;
  word = "";
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(SESSION_KEY);
  tell();
}

/** Call something at every login and logout. @param {() => void} listener @returns {() => void} ends it */
export function onSession(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell() {
  for (const listener of [...listeners]) listener();
}
