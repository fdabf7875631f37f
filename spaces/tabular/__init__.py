"""Networks for tables of features."""
