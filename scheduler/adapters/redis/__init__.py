"""What several processes share beside the database: hints and rate limits. Never truth: it may vanish at any moment."""
