"""Measure this machine's memory and disk, and refuse what cannot fit."""
