"""Generated patterns: the 17 wallpaper groups, aperiodic order, motifs, scanning artefacts."""
