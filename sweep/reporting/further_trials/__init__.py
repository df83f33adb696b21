"""What further trials of a study may bring."""
