"""Whom to stop so that a gang with a better right gets a place, and how its room is kept until they are gone."""
