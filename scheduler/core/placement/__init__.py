"""Where a gang runs, or the typed reasons why nowhere. Who is asked first lives in queueing."""
