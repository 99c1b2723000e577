"""How good a place is: small typed functions with weights. A place is good if what remains stays useful."""
