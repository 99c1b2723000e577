"""Servers on this machine: which port each replica gets, and whether it answers as ready."""
