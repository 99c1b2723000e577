"""What attempts say while they run: heard without flooding the database, and missed when it stops."""
