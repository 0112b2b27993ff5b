"""Process-model simulations: CarbonGlobe in our layout and as published, NetCDF of other models, single towers."""
