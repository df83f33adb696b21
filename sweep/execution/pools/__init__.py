"""Train segments in worker processes on this machine or in a Ray cluster."""
