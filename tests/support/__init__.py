"""What several tests share: toys, processes, servers, texts."""
