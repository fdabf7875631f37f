"""A search as one page for a browser."""
