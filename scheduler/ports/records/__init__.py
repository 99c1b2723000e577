"""What is kept of what was done and used."""
