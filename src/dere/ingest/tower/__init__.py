"""Flux towers: every collection of files becomes records of one site each, then one data set."""
