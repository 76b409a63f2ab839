"""GANs whose critic estimates a Wasserstein distance."""
