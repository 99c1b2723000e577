"""The schedule of a pipeline run event by event: what the formulas of a step's time are held against."""
