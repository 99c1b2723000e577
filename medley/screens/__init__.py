"""What people read: the server's JSON as tables and sentences. Lives here: layout. Does not: calls to the server."""
