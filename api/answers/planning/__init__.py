"""Training plans over several chip types, as the API tells them."""
