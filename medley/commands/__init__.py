"""The commands, one function each.

Lives here: options, and the order of calls. Does not live here: layout (screens), HTTP (client).
"""
