"""What a library user calls, and what the commands call; ``sweep`` loads each name when it is asked for."""
