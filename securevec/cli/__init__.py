"""The command line. Commands are thin: they read arguments, call the library, and show what it answered.

Nothing here is imported by the library, and ``securevec --help`` imports no heavy dependency.
"""
