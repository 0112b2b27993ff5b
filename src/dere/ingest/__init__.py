"""Ingest: one module per source format, parse to a canonical Dataset.

A data set declares its file names, columns, product and reader (``source``), and a run loads those of its own files. A
reader holds pure ``parse`` functions on tables or arrays and a thin ``read_*`` edge that takes a path. What all formats
share (tables, archives, months, checks of units, the regular grid, names of columns, provenance) lies here; the
formats lie in:

==========  =====================================================================================================
simulation  process models: CarbonGlobe in our layout and as published, NetCDF of other models, single towers
cover       plant-type maps (ESA CCI at 300 m and aggregated) and stand ages (tables, GFAD, MPI-BGC)
tower       flux towers: FLUXNET family, ABCflux, CarbonSense, FLUXNET-CH4, daily tables, and their metadata
arrays      the processed arrays of the published code: all three in npz files without coordinates
==========  =====================================================================================================
"""
