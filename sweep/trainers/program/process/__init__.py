"""The process of a program: where it may run, what it is given, what it prints, and its end."""
