"""What rank 0 tells the API again and again while its program runs: that it lives, how far it is, what it saved."""
