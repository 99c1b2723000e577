"""The ports journal, directory, views and leadership on SQLite or PostgreSQL.

SQL and rows live here and nowhere else: `storage.open_storage` is the way in, values of the model come out.
"""
