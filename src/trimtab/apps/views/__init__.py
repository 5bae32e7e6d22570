"""Values -> pages for people and documents for programs. Nothing is decided here."""
