"""Describe study files in a form that editors read."""
