"""An image on which a region can be drawn."""
