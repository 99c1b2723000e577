"""Who comes before whom, and why: shapes of answers."""
