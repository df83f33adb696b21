"""What stands for the unknown trainer of a guest, a study that Optuna made without sweep."""
