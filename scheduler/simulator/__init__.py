"""The production core, or the services around it, on virtual time: what a cluster would do with a workload."""
