"""Studies that Optuna made without sweep, read as the records that sweep's own are."""
