"""`medley top`: jobs and capacity on a screen that keeps itself up to date."""
