"""The stations of a write, which ``ingest`` and the verbs go through: anonymized, cut, sealed, inserted, read back."""
