"""Estimate how losses vary over held-out units, such as words."""
