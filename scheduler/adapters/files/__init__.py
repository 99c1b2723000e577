"""Files that operators write: the cluster's inventory and the chip catalogue. Errors name the file and the line."""
