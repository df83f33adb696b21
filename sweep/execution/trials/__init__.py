"""Claim, propose, follow, record and clean up the trials of a driver."""
