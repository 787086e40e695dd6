"""A detector against labelled texts."""
