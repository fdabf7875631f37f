"""Surrogates: what a network will cost, learned from those that were evaluated."""
