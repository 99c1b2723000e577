"""The reference server: the model of the reference training over HTTP, with a path that says whether it is ready.

Importing this package is cheap; its modules import torch where they compute.
"""
