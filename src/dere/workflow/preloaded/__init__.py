"""Jobs of a run that start from one process which has loaded the libraries already.

Importing torch, xarray and pandas costs a job two to three seconds of a core, more than many jobs compute. So the
process of Snakemake starts a server (`server`), which loads them once and makes a fork of itself for every script.
Snakemake starts a small client (`client`) in place of the interpreter; it hands the script over and ends as the fork
ends. Where the server is not ready, is gone, or was started with other settings of threads, the client becomes the
interpreter.
"""
