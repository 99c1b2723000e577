"""Sentences for people, made at the edge from typed values. Nothing here decides anything."""
