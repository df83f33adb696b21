"""Store studies: databases, folders of files, claims on trials."""
