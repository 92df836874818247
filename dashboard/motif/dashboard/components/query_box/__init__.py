"""The text field of the query language, with completion."""
