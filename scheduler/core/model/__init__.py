"""The nouns of Medley, true by construction: frozen values that every other room speaks in."""
