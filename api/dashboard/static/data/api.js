// @ts-check
/** The REST API: questions with a time limit, pages, and its "no"s as errors that people can read. */

import { authorise, isLoggedIn, logOut } from "./session.js";

const ROOT = new URL("../../../", import.meta.url);
const TIMEOUT_MS = 30_000;
const LARGEST_PAGE = 200;
const MOST_TRIES = 4;
const UNAUTHENTICATED = 401;
const TOO_MUCH = 429; // nothing was done then
const NOT_NOW = new Set([TOO_MUCH, 503]);

/** A "no" of the API, or of the network (status 0). */
export class ApiError extends Error {
  /** @param {{status: number, title: string, detail: string, next?: string | null, code?: string, request_id?: string}} problem */
  constructor(problem) {
    super(problem.detail || problem.title);
    this.status = problem.status;
    this.title = problem.title;
    this.code = problem.code ?? "";
    this.next = problem.next ?? "";
    this.requestId = problem.request_id ?? "";
  }
}

/**
 * @typedef {Record<string, string | number | string[] | null | undefined>} Query
 * @typedef {{query?: Query, body?: unknown, signal?: AbortSignal, headers?: Record<string, string>}} Options
 */

/** Whether the same question may be answered in a moment: the connection broke, or the server said "not now". @param {unknown} error @returns {boolean} */
export function willPass(error) {
  return !(error instanceof ApiError) || error.status === 0 || NOT_NOW.has(error.status);
}

/** The address of a path of the API. @param {string} path @param {Query} [query] @returns {URL} */
export function address(path, query = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) {
    const all = Array.isArray(value) ? value : [value];
    for (const one of all) if (one !== null && one !== undefined && one !== "") url.searchParams.append(name, String(one));
  }
  return url;
}

/**
 * Ask, and return the answer's JSON. What can be repeated without harm is, where the server says "not now".
 * @param {string} method
 * @param {string} path such as `v1/jobs`
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function ask(method, path, options = {}) {
  for (let tries = 1; ; tries++) {
    const response = await send(method, path, options, AbortSignal.timeout(TIMEOUT_MS));
    if (response.ok) return response.status === 204 ? null : response.json();
    const error = await problemOf(response);
    if (response.status === UNAUTHENTICATED && isLoggedIn()) logOut(error.message);
    const isHarmless = method === "GET" || response.status === TOO_MUCH;
    if (!NOT_NOW.has(response.status) || !isHarmless || tries >= MOST_TRIES) throw error;
    await pause(1000 * Number(response.headers.get("Retry-After") ?? 1) * tries, options.signal);
  }
}

/** Ask with GET. @param {string} path @param {Query} [query] @param {AbortSignal} [signal] @returns {Promise<any>} */
export function read(path, query, signal) {
  return ask("GET", path, { query, signal });
}

/**
 * Read a list page by page, until its end or until `isEnough` says so.
 * @param {string} path
 * @param {Query} query
 * @param {(items: any[], next: string | null) => boolean | void} isEnough takes each page
 * @param {AbortSignal} [signal]
 */
export async function readPages(path, query, isEnough, signal) {
  let cursor = null;
  do {
    const page = await read(path, { ...query, cursor }, signal);
    cursor = page.next;
    if (isEnough(page.items, cursor)) return;
  } while (cursor !== null);
}

/**
 * Read a list whole: the answer of its first page, with the items of all pages.
 * @param {string} path @param {Query} query @param {AbortSignal} [signal] @returns {Promise<any>}
 */
export async function readWhole(path, query, signal) {
  const { next, ...whole } = await read(path, { limit: LARGEST_PAGE, ...query }, signal);
  for (let cursor = next; cursor; ) {
    const page = await read(path, { limit: LARGEST_PAGE, ...query, cursor }, signal);
    whole.items.push(...page.items);
    cursor = page.next;
  }
  return whole;
}

/**
 * Open a stream; the caller reads and ends it.
 * @param {string} path @param {Options} options @returns {Promise<Response>}
 */
export async function openStream(path, options) {
  const response = await send("GET", path, options);
  if (!response.ok) {
    const error = await problemOf(response);
    if (response.status === UNAUTHENTICATED && isLoggedIn()) logOut(error.message);
    throw error;
  }
  return response;
}

/**
 * @param {string} method @param {string} path @param {Options} options @param {AbortSignal} [timeout]
 * @returns {Promise<Response>}
 */
async function send(method, path, { query, body, signal, headers = {} }, timeout) {
  const signals = [signal, timeout].filter((one) => one !== undefined);
  const typed = body === undefined ? headers : { ...headers, "Content-Type": "application/json" };
  try {
    return await fetch(address(path, query), {
      method,
      headers: authorise(typed),
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.any(/** @type {AbortSignal[]} */ (signals)),
      cache: "no-store",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const late = /** @type {Error} */ (error).name === "TimeoutError";
    const detail = late ? `Medley gave no answer within ${TIMEOUT_MS / 1000} s.` : "Medley cannot be reached.";
    throw new ApiError({ status: 0, title: "No answer", detail, next: "Look whether the server runs, then try again." });
  }
}

/** @param {Response} response @returns {Promise<ApiError>} */
async function problemOf(response) {
  const title = `The server answered with status ${response.status}`;
  try {
    return new ApiError({ title, detail: title, ...(await response.json()), status: response.status });
  } catch {
    return new ApiError({ status: response.status, title, detail: title, next: "Try again." });
  }
}

/** Wait. @param {number} ms @param {AbortSignal} [signal] ends it at once @returns {Promise<void>} */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
