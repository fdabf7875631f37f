"""Digests of what a manifest cannot write out: data, code and settings."""
