"""When things happen: intervals, wake-up hints, back-off and stopping. What happens is in services."""
