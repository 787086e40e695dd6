"""Keys exchanged under what is stored: what was made under the old one is made anew under the new one, by resumable
jobs. What they have in common is ``rewriting``."""
