"""What runs beside each worker: one small process that starts it once, bounds it, keeps its output and its end.

Standard library only, and few modules of it: a supervisor starts with every worker, so its imports are on the way from
a submitted job to its first line of output. `dataclasses`, `typing` and `json` alone would double its start-up time.
"""
