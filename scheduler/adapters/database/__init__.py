"""What is kept, on SQLite or PostgreSQL: the ports journal, directory, views, leadership, installation and records.

SQL and rows live here and nowhere else: `storage.open_storage` is the way in, values of the model come out.
"""
