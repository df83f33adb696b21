"""The report and the pages that share its frame."""
