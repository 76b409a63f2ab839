"""GANs whose losses come from f-divergences, importance weights, a partition function or a margin of losses."""
