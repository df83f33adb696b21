"""Make a study file for a script from its source or ``--help`` output, without importing it."""
