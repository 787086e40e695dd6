"""The stations of a read, which ``search`` and the verbs go through: asked, opened, judged, made a hit."""
