"""Models that predict a figure of merit from composition and spectrum."""
