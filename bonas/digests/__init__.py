"""Digests of settings that a header cannot write out: data, objects and the code of functions."""
