"""What leaves Medley about itself: metrics, log lines and traces."""
