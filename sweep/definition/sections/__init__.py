"""The sections of a study file, each with its rules."""
