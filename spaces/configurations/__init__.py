"""Configurations of any ConfigSpace: what is active, plain values, mutation, the unit cube."""
