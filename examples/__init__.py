"""Job files, cluster files, and the demonstration behind `make demo`."""
