"""Define a study: its file, search space, records and ranking."""
