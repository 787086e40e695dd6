"""Structured values: rules as data (``*.toml``), RE2 to find them, checks to believe them."""
