"""An open installation: its directory, its engine and lock, where a tenant lies, and what an actor holds of it."""
