"""The selection as files: tables, code snippet, picture of the map."""
