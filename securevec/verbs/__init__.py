"""Verbs beyond writing and searching: listing, counting, changing, exporting. One file each; :class:`Collection` is
their face."""
