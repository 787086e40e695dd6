"""Folders and files as sources: walking them, parsing documents in processes of their own, resuming and keeping in
step.

    kinds      what a suffix means
    page       the built-in record of a document, and which record classes take documents
    options    what a caller may choose
    system     calls whose errors carry no path
    walk       what a folder holds: no link is followed, nothing but regular files is opened
    reading    one file, opened without following anything, whole or as a stream
    sources    every source listed, and its files sorted into documents and rows
    parse/     bytes to title and text; runs in the worker only
    worker, row_worker, inside   the child processes, and what they give up before they see a file
    child, pool                  the parent's side: time and memory, and what becomes of a file whose parser dies
    documents  documents as a stream of rows, parsed ahead
    rows       a file of rows as a stream, never read whole
    state      what the store knows of a source: who owns a record, what need not be parsed again
    plan       which records a sync deletes; pure
    sync       deleting them
    journey    the whole of an ingest of folders, read top to bottom
    preview    what it would do and replace, with nothing stored and nothing embedded
    report     what both say of themselves
"""
