"""The key store: wrapped keys, who may use them, how they are exchanged and destroyed. Ciphers are called in the room
``crypto`` alone. Formats are those of docs/formats.md section 2.

keyring.py   keys by tenant and by key id: the one object other rooms ask
keyview.py   keys as the store held them at one look
openkeys.py  keys unwrapped on demand, and the rules under which a row may be used
keystore.py  the SQLite file of wrapped keys     destroy.py   removal of keys, with evidence
cache.py     bounded cache of open keys          leases.py    nonce budget of a writing process
newest.py    an older copy of the store told     rotation.py  root and tenant keys wrapped again
"""
