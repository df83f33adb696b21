"""Show the MLP: its figures, sections, advice and files. Workers do not import it."""
