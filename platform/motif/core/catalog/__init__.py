"""The catalog: an SQL index of the store's journal.

`database` opens it and answers queries on records and measurements, `catalog_queries` answers the
narrower ones of other packages, `journal` fills it, `fulltext` searches it. Nothing outside
`motif.core` knows its tables.
"""
