"""Contain the files that `sweep init --function` writes: an example function and its study."""
