"""Gradient-based search: the weights of a supernet and the choice among its operations at once."""
