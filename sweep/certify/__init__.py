"""Which configuration won, and how sure that is."""
