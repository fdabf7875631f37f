"""Networks for sequences of tokens."""
