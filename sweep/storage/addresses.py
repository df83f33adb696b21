"""Which database is meant where none is named? Imports nothing, since every command asks."""

STORAGE_VARIABLE = "SWEEP_STORAGE"
"""Environment variable that names another database."""

DEFAULT_STORAGE = "sqlite:///studies/sweep.db"
