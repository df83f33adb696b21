"""The test of a program's study: a program of its own, which only the final test runs."""
