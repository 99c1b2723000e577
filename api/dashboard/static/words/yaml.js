// @ts-check
/** A value of the API as YAML that a job file may be. */

const PLAIN = /^[A-Za-z_/][\w ./@%+-]*$/;
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null|~)$/i;

/** @param {unknown} value @returns {string} on one line */
function scalar(value) {
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  return PLAIN.test(value) && !WORDS.test(value) && !value.endsWith(" ") ? value : JSON.stringify(value);
}

/** @param {unknown} value @returns {boolean} */
function isShort(value) {
  return value === null || typeof value !== "object" || !Object.keys(value).length || (Array.isArray(value) && value.every((one) => one === null || typeof one !== "object"));
}

/** @param {any} value @returns {string} */
function short(value) {
  if (Array.isArray(value)) return `[${value.map(scalar).join(", ")}]`;
  return value !== null && typeof value === "object" ? "{}" : scalar(value);
}

const MEANS_NEVER = "stall_limit_s"; // null says something there

/** @param {any} value @returns {boolean} */
function saysNothing(value) {
  return value === null || (typeof value === "object" && Object.values(value).every((one) => one === null));
}

/** A specification as the API shows it, as a job file: without what it leaves open. @param {Record<string, any>} spec @returns {string} */
export function jobFile(spec) {
  return yamlText(Object.fromEntries(Object.entries(spec).filter(([name, value]) => name === MEANS_NEVER || !saysNothing(value))));
}

/** Objects and lists of objects on lines of their own, all else beside its name. @param {any} value @param {string} [indent] @returns {string} */
export function yamlText(value, indent = "") {
  if (isShort(value)) return `${indent}${short(value)}\n`;
  if (Array.isArray(value)) return value.map((one) => `${indent}- ${yamlText(one, `${indent}  `).slice(indent.length + 2)}`).join("");
  return Object.entries(value).map(([name, one]) => (isShort(one) ? `${indent}${scalar(name)}: ${short(one)}\n` : `${indent}${scalar(name)}:\n${yamlText(one, `${indent}  `)}`)).join("");
}
