"""GANs whose discriminator classifies or regresses: the logistic and least-squares losses."""
