"""What a stored point is made of: the sealed body and its bytes, pieces of text, words and filter values. Pure."""
