"""Plan a study: its cost, and trial runs of its program."""
