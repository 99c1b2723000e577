"""Training plans over several chip types: what they cost in memory and time, and the search for the best."""
