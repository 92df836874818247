"""Data prepared for the pages: tables, filters, colours, pictures, numbers as text."""
