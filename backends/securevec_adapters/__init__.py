"""What the adapters share: checks of points and namespaces, error mapping, the directory of an embedded store, the pool
of its open places, server addresses. Nothing here imports a vendor package or knows one.
"""
