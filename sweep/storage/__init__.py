"""Where a study is kept: databases, folders, claims."""
