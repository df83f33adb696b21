"""Estimate the gain of further trials of a study."""
