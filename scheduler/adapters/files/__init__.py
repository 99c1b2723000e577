"""Files that operators write: the cluster's inventory, the chip catalogue, what places are judged by.

Errors name the file and the line.
"""
