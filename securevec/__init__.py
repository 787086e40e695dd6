"""securevec."""
