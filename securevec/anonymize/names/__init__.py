"""People, places and organizations: what stands around a name, and the trained model."""
