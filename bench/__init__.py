"""Benchmarks: `python -m bench NAME --json`. Each builds and starts what it needs and prints one JSON object."""
