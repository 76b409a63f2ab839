"""GANs whose discriminator is normalised, penalised or asked to be consistent."""
