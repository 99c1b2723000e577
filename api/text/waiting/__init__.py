"""What a job that waits is told: room that is kept, when it will start, who comes before whom and why, and what if."""
