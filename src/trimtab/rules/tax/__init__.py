"""Lots and their taxes."""
