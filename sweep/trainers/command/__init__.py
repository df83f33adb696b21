"""Train a trial with any program that takes parameters as arguments or a file and prints its metric."""
