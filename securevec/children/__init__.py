"""Processes of our own: readers of hostile files, and detection beside a write. They hold no key and no file open."""
