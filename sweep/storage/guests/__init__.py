"""Read guests, studies that Optuna made without sweep, into the same records as sweep's own studies."""
