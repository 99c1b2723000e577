"""Wanted workers against seen workers: what to start, stop, report and forget."""
