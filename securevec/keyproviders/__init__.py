"""Where the root key comes from, one file a provider. Each makes a :class:`securevec.crypto.root.RootKey`."""
