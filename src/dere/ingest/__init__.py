"""Ingest: one module per source format, parse to a canonical Dataset.

Each module holds pure ``parse`` functions on tables or arrays and a thin ``read_*`` edge that takes a path:

=================  ==================================================================================
carbonglobe        process-model simulation as NumPy arrays -> forcing and simulation
esacci             aggregated ESA CCI plant-type maps and the towers' pixel table -> plant fractions
esacci_aggregate   300 m plant-type maps -> aggregated ones, by blocks of whole chunks
esacci_towers      300 m plant-type maps -> the towers' pixel table
age_weights        tables of stand-age weights, by cell or by site
forest_age         GFAD v1.1 and the MPI-BGC map -> stand-age weights by cell
towers             every tower file of some folders, one processing per site -> one Dataset
fluxnet            monthly files of the FLUXNET family (FLUXNET2015, ICOS, AmeriFlux, shuttle)
fluxnet_extract    the 44-column monthly extract of FLUXNET2015 with LAI and EVI
bif                site metadata: BADM/BIF long tables and plain site tables
columns            what each source calls a quantity, and in which unit
provenance         file, checksum, licence and citation of everything that was read
=================  ==================================================================================
"""
