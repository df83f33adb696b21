"""Train a trial by calling the user's function, in a process that is reused from trial to trial."""
