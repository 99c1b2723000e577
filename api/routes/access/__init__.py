"""Users, tokens, logins and the audit trail."""
