"""What steps through virtual time: the core by itself, or the production services on a database in memory."""
