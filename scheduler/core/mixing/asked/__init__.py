"""What is planned for: a model and its training, the chips that are free, and the links between them."""
