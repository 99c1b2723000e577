"""The built-in training: a small GPT over the bytes of a text, data parallel over the gang.

It shows that a gang computes together: the loss falls, and all ranks end with the same weights. Importing anything
from here imports torch; call `medley_runtime.torch_loading.load_torch` first.
"""
