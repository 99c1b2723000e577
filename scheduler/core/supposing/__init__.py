"""What would be if nodes, quotas or weights were otherwise: tried on a state, and put back. It decides nothing."""
