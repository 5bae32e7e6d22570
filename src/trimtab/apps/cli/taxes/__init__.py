"""The commands below `trimtab tax`."""
