"""Write what commands print in a terminal, other than tables of trials."""
