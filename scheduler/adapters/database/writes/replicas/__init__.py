"""Writing how many groups of a server there are to be."""
