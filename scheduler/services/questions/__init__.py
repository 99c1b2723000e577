"""Services that only look: what the state is, what workers printed. Lives here: reads. Does not: any write."""
