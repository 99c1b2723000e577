// @ts-check
/** The roles that somebody may be given. */

export const TENANT_ROLES = ["viewer", "submitter", "tenant-admin"];
export const ROLES = [...TENANT_ROLES, "operator", "auditor"];
