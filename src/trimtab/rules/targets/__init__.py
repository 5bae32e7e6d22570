"""What to hold: the household's own targets, and the strategies that weigh its classes."""
