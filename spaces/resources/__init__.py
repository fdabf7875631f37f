"""Parameters, multiply-adds and memory of a network."""
