"""Which configuration is next."""
