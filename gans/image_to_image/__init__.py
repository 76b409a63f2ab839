"""GANs that make an image from an image."""
