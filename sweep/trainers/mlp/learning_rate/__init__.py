"""Find a learning rate: the range test, suggestions from its curve, and `auto`."""
