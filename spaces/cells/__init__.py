"""Cells, and the networks that are stacked from them."""
