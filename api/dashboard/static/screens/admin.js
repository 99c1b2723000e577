// @ts-check
/** Admin: tenants and their quotas, people, tokens, and who changed what; what the reader's role may see of it. */

import { Audit } from "../admin_parts/audit.js";
import { Quotas } from "../admin_parts/quotas.js";
import { Tenants } from "../admin_parts/tenants.js";
import { Tokens } from "../admin_parts/tokens.js";
import { Users } from "../admin_parts/users.js";
import { Empty } from "../parts/small.js";
import { refine } from "../route.js";
import { html } from "../view.js";

/** @type {[string, string, string, (props: any) => any][]} key, name, the operation it needs, part */
const PARTS = [
  ["tenants", "Tenants", "list_tenants", Tenants],
  ["quotas", "Quotas", "list_quotas", Quotas],
  ["users", "Users", "list_users", Users],
  ["tokens", "Tokens", "list_tokens", Tokens],
  ["audit", "Audit", "list_audit_entries", Audit],
];

/** @param {{me: any, may: (name: string) => boolean, route: import("../route.js").Route}} props */
export function Admin({ me, may, route }) {
  const parts = PARTS.filter(([, , operation]) => may(operation));
  const chosen = parts.find(([key]) => key === route.query.get("part")) ?? parts[0];
  if (!chosen) return html`<h1>Admin</h1><${Empty} command="medley whoami">The role ${me.role} sees nothing here.</${Empty}>`;
  const [key, , , Part] = chosen;
  return html`<div class="screen"><div class="head"><h1>Admin</h1><nav class="part-links" aria-label="Parts of this screen">${parts.map(([one, name]) => html`<a key=${one} href=${`#/admin?part=${one}`} aria-current=${one === key ? "true" : undefined}>${name}</a>`)}</nav></div>
    <${Part} key=${key} me=${me} may=${may} route=${route} choose=${(/** @type {Record<string, string>} */ changes) => refine(route, changes)} /></div>`;
}
