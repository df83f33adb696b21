"""A database of studies: a file of SQLite or a server of PostgreSQL, opened safely.

Other modules import the names of this file from here.
"""

from sweep.storage.database.faults import machine_errors, storage_errors
from sweep.storage.database.interface import Database, Storage

__all__ = ["Database", "Storage", "machine_errors", "storage_errors"]
