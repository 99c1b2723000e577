"""The dashboard: static files that a browser runs, and the routes that serve them."""
