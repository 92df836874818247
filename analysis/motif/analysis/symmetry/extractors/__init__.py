"""From an image to a feature vector: preparation, descriptors, backbones, feature fusion."""
