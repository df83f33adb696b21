"""Read a words file, split it and build examples."""
