"""What jobs did, on a database: use over time, accounts and history; how fast they were, and how right estimates."""
