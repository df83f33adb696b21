"""The ranked table and its formats."""
