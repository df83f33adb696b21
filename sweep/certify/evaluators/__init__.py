"""Evaluate exported models on a test part: unit by unit, or by runs of the user's test."""
