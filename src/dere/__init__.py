"""DERE: monthly GPP, RECO and NEE from simulations, plant-type maps and flux towers."""

__version__ = "0.1.0"
