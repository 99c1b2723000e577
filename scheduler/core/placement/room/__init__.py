"""What a cluster can give a gang at all, how many of its workers fit, and where they are looked for."""
