"""The rules of the image specification and of its neighbours, one module for each part of it; ``book`` has them all."""
