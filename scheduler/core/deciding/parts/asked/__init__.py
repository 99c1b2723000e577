"""What jobs ask of placement, what people want of them since, and what jobs are expected to come."""
