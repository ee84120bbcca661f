"""Fine alignment."""
