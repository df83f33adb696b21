"""Trainers, found by name; no other room imports from here."""
