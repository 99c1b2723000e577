"""What people could change of a job so that it starts: smaller asks, and moves of others. It decides nothing."""
