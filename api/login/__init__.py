"""How a browser shows who it is: its session, and what keeps other pages from using it."""
