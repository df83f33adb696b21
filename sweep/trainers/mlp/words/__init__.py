"""The words file: read, split, and laid out as examples."""
