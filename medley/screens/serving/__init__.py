"""The tables of servers."""
