"""Training programs: processes of their own, what they report, and where they write."""
