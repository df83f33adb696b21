"""A study file from a script, whose options are read from its source or ``--help``, never by import."""
