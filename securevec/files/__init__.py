"""Folders and files as sources: walking them, parsing documents in processes of their own, resuming and keeping in
step.

    kinds      what a suffix means, and which record classes take it
    page       the built-in record of a document
    system     calls whose errors carry no path
    walk       what a folder holds: no link is followed, nothing but regular files is opened
    reading    one file, opened without following anything, whole or as a stream
    parse/     bytes to title and text; runs in the worker only
    worker     the child process that parses
    pool       the children: time and memory per file, and what becomes of a file whose parser dies
    state      what the store knows of a source: who owns a record, what need not be parsed again
    plan       which records a sync deletes; pure
    journey    the whole of an ingest of folders, read top to bottom
    preview    what it would do and replace, with nothing stored and nothing embedded
"""
