"""Read and check the sections of a study file."""
