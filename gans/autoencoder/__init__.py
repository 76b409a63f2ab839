"""GANs whose discriminator is an autoencoder and calls real what it can reconstruct."""
