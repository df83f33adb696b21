"""Define the default database. Imports nothing, because every command imports this module."""

STORAGE_VARIABLE = "SWEEP_STORAGE"
"""Environment variable with the URL of another database."""

DEFAULT_STORAGE = "sqlite:///studies/sweep.db"
