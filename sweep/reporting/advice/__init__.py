"""Checks of a study, each a module, and their wording."""
