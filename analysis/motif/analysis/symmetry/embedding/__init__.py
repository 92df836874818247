"""Features of the images of a collection, computed over Dask and stored as results."""
