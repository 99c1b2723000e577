"""What is said of logins and of the audit trail."""
