"""What a simulation found: tables, a chart in lines of text, and the same as a picture."""
