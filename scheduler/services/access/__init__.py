"""Who is asking: tokens of people and services, tokens of workers, and who may hand them out."""
