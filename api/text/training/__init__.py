"""Words about trainings over several chip types."""
