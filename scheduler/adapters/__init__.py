"""How each port is fulfilled: one folder per technology, none of which knows another."""
