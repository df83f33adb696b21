"""Run a study's test program, which only the final test does."""
