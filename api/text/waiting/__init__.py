"""What a job that waits is told: room that is kept, when it will start, and who comes before whom and why."""
