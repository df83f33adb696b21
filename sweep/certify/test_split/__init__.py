"""Evaluate a winner on the test split once, and guard the split from further looks."""
