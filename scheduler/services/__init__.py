"""What Medley does, one file per use case: where a decision meets a write."""
