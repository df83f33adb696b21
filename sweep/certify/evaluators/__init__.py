"""How exported models are evaluated on a test part: unit by unit, or by runs of a test of their own."""
