"""What a process tells of its own work: figures, spans, and what its log lines are about."""
