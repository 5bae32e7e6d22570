"""The world: one adapter a file; adapters know only the domain."""
