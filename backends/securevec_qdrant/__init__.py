"""Vector stores of the Qdrant family: ``edge`` (embedded, the default) and ``server``.

Adapters see only ``securevec.backend``, ``filters``, ``errors``, ``types`` and ``limits``: never keys, policy or
plaintext. Nothing is imported here, so that one adapter works without the other's vendor package.
"""
