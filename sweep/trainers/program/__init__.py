"""Train with programs in separate processes: start them, read their reports, keep their files."""
