"""Features of images that know symmetry: wallpaper groups, descriptors, learned extractor."""
