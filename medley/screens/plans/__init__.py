"""Training plans: a pipeline with its layers, memory and times, in lines of text and as a picture."""
