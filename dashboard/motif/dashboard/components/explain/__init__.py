"""Two images with their similar regions bright."""
