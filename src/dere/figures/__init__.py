"""Figures drawn from tables and NetCDF files only."""
