"""Work that runs by itself or takes long: jobs and their runs, Dask clusters, progress."""
