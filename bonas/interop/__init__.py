"""Histories of other tools, there and back."""
