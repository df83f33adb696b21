"""Contain the trainers, which other packages load by name only."""
