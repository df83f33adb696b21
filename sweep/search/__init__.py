"""HOW it is searched. The only room that knows optuna."""
