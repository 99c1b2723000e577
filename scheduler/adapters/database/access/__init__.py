"""Users, tokens and the audit trail: how they are read and written."""
