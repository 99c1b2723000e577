"""Who changed what: the nouns of the audit trail."""
