"""Measure what each change between two configurations brings."""
