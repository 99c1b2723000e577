"""Stays with a job: looks at it when something happened, reads its logs on.

Lives here: when to ask the server what. Does not live here: layout (screens).
"""
