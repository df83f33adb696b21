"""Serve the Optuna dashboard read-only, and store a study's contents for it."""
