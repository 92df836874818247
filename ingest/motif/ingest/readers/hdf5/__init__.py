"""Reader of HDF5 files of microscopes: USID, NSID and NeXus."""
