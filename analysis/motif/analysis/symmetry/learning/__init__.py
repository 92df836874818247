"""The network that recognises wallpaper groups: architecture, training, evaluation."""
