"""Replays public traces through the core: here is what comes and what came of it, every decision is the core's."""
