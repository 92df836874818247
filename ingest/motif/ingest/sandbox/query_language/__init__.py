"""The metadata query language: an expression over a record and its metadata.

``rewrite`` reads the text as the service does (character by character, quirks included) and returns
an AQL expression over the record ``i``; ``parse`` turns that into a function of a record.
"""
