"""How fast jobs are, and how long layers of their models take: measured, and editable by operators."""
