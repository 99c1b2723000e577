"""Arrays: many alike jobs of one submission."""
