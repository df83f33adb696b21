"""Show programs: their command, and the output of failed trials. Workers do not load it."""
