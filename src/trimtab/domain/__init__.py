"""Values: what trimtab talks about. No decision, no input or output."""
