"""Compare two or more studies."""
