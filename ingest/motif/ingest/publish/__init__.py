"""Publishes results and uploads instrument files to DataFed."""
