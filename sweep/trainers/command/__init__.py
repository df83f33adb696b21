"""Trials of a command: any program that takes its parameters as arguments or a file, and prints figures."""
