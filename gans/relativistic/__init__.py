"""GANs whose discriminator compares reals with fakes."""
