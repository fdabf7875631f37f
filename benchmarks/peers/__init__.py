"""The peers of bonas, each as the same small ask-and-tell session, and one file each."""
