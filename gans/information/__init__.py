"""GANs whose D learns more of an image than whether it is real, without labels."""
