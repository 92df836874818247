"""Models of a workspace: registry, cards, invariance on own images, explanation of similarity."""
