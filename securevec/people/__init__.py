"""People: whom records are about or mention, what is stored about them, and erasing it. Begin with ``identify``."""
