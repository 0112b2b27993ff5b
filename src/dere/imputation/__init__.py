"""Probabilistic label expansion: a conditional diffusion on (NEE, RECO) with GPP = RECO - NEE.

One model per fold and seed, trained on training towers only; validation towers choose the checkpoint; test towers are
never read. `fit.train_imputation` trains, `labels.impute` writes trajectories, `hidden.score_hidden` judges them on
hidden months against baselines.
"""
