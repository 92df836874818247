"""A local server that speaks the DataFed client protocol, on loopback.

The unmodified ``datafed`` 5.1 client and command line work with it.
"""
