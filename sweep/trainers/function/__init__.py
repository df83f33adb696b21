"""A trial is a call of the user's function, in a process that runs one trial after the other."""
