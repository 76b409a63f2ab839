"""GANs and one autoencoder that infer the latent of an image as well as generate one from it."""
