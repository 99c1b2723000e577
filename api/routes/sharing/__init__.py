"""Routes of queues, their quotas, groups of chip types, and who has what share."""
