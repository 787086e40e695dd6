"""The crypto room: the only one that imports ``cryptography``. Formats are those of docs/formats.md sections 2 to 4.
Pure: no file, no store, no state but the secrets it is handed.

secret.py    32 bytes that hide themselves       envelope.py  wire format v1
kdf.py       HMAC, length prefixes, argon2id     context.py   what a sealed value is bound to
derive.py    ids and tokens under tenant keys    sign.py      Ed25519
wrap.py      a key wrapped under another key     cloak.py     the vector cloak
root.py      what a key provider hands over
"""
