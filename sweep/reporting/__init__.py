"""Show a study: tables, advice, figures, report."""
