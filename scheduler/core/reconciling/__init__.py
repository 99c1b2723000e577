"""Wanted workers against seen workers: what to start, stop, report and forget; and who has gone silent."""
