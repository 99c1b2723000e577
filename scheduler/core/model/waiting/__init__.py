"""What a gang that waits is told: room that is kept for it or for others."""
