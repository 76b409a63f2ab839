"""GANs whose players are told, or tell, the class of an image."""
