"""When those that wait will start: the queue laid onto the ends of what runs, by counts. It decides nothing."""
