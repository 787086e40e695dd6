"""Rows as a caller gives them: any file of rows read, one row checked, typed and reduced to the declared fields."""
