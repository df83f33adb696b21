"""Where segments are trained: worker processes of this machine, or a Ray cluster."""
