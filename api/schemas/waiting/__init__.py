"""What a job that waits is told, and what if something were otherwise: shapes of questions and answers."""
