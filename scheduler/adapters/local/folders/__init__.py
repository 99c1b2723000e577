"""Which folders a local cluster has: those of its attempts, and those of what jobs keep for the next one."""
