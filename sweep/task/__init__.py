"""WHAT is trained. The only room that knows torch and numba."""
