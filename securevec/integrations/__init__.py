"""Frameworks on top of a securevec collection, which binds each of them to one tenant and one actor.

    passage    the built-in record of a framework's document, to be extended with declared metadata
    documents  documents to records and back; what is refused; shared by all
    conditions a framework's filters in terms of :mod:`securevec.filters`
    embedding  any embedding function as the model of a store: it is given anonymized text only
    needed     a framework that is not installed is a typed error
    langchain  ``VectorStore``             needs the extra ``langchain``
    llamaindex ``BasePydanticVectorStore`` needs the extra ``llamaindex``
    haystack   ``DocumentStore``           needs the extra ``haystack``

Importing this package imports none of them.
"""
