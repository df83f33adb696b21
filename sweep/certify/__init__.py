"""Confirm, export and test the best configurations of a study."""
