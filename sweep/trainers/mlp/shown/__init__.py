"""What only the MLP shows: figures, sections, advice and files. No worker imports it."""
