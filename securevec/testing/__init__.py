"""Shipped with the library, for adapters and applications to test with: an in-memory store, a lying store, and the
conformance suite every adapter passes. ``conformance`` needs pytest and hypothesis; the others need nothing more.
"""
