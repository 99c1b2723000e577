"""What a training keeps of itself, so that a later attempt goes on from there.

`shelf` knows the folder: names, what is whole, what is dropped; it needs no torch. `saver` writes and reads states with
torch.distributed.checkpoint, beside the training.
"""
