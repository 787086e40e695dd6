"""Chroma as a vector store: ``persistent`` (in this process, files under the home) and ``server`` (over HTTP).

Adapters see only ``securevec.backend``, ``filters``, ``errors``, ``types`` and ``limits``: never keys, policy or
plaintext. Nothing is imported here: the vendor's package takes half a second.
"""
