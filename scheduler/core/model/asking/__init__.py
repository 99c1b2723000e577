"""What jobs ask for beside devices, and what people ask: why, what if, what would help, each with its answer."""
