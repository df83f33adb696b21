"""Compute the statistics of a confirmation: selection, racing and power."""
