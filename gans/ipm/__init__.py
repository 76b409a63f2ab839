"""GANs whose critic estimates another integral probability metric: Fisher, Sobolev, energy distance and MMD."""
