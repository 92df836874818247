"""Files that could not be read: list, show, retry and release them."""
