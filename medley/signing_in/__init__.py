"""Logging in over an organisation's own login, in the terminal."""
