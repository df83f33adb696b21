"""Combine the models of the certified seeds."""
