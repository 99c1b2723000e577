// @ts-check
/**
 * Who is logged in. The token lives in this tab's session storage and leaves it as a header only.
 *
 * A login that the server keeps in a cookie needs two changes here: `authorise` adds what such requests carry instead
 * of the token, and `isLoggedIn` asks whether the server knows the session.
 */

const KEY = "medley-token";

/** @type {Set<() => void>} */
const listeners = new Set();
let ended = "";

/** @returns {boolean} */
export function isLoggedIn() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Why the last session ended, for people; empty where it did not. @returns {string} */
export function whyEnded() {
  return ended;
}

/** Add what says who is asking. @param {Record<string, string>} headers @returns {Record<string, string>} */
export function authorise(headers) {
  const token = sessionStorage.getItem(KEY);
  return token === null ? headers : { ...headers, Authorization: `Bearer ${token}` };
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
  sessionStorage.removeItem(KEY);
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
