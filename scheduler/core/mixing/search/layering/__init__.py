"""Pipelines stage by stage: how many layers each stage gets, and what a step then takes."""
