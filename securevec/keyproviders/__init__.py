"""Where the root key comes from: one file a provider. Each hands a :class:`securevec.crypto.root.RootKey` to the ring."""
