"""Record uses of the test split."""
