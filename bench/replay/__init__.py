"""Replays public traces through the core: every decision is the core's own, here is only what comes and what came out."""
