"""Doors: they wire the parts together and decide nothing."""
