"""Comparing two or more studies."""
