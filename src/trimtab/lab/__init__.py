"""Invented worlds: the same rules, elsewhere."""
