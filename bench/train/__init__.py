"""Training: one loop for every algorithm (`loop`), samples and pictures (`sampling`), a trial, a run.

Owns devices, seeds, budgets, EMA and the clock. Knows algorithms through `gans.GAN` only, and the store through the
recorder it is handed.
"""
