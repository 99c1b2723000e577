"""What people could change: what lets a job start, and what would follow from a change of the clusters."""
