"""What `python -m bonas` says about the directory of a search: one command a file."""
