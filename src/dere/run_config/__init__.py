"""The configuration of a run, composed of the sections of methods, backbones and everything else; above methods.

This file imports nothing on purpose: a job that reads what a leaf means must not load every method.
"""
