"""The record of uses of the test split."""
