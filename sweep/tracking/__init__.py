"""Log the trials of a stored study to an experiment tracker: MLflow, or Weights & Biases offline."""
