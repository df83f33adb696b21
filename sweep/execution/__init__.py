"""Train the trials of a study: the driver, its pools, pruners, budget and plans."""
