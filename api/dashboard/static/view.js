// @ts-check
/** What every part is written with: Preact, its hooks, and templates that escape whatever stands in them. */

import { h } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { Component, Fragment, h, render } from "./vendor/preact.js";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "./vendor/hooks.js";

/** A template of HTML; values are text or attributes, never markup. */
export const html = htm.bind(h);
