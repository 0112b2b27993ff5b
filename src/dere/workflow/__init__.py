"""What the rules themselves need: which code a script runs, where it logs."""

import signal
import sys

# A job of a run that is still loading libraries ends at once on Ctrl-C, without a traceback of whatever it was loading;
# `dere.workflow.script.logged` takes over from there.
if hasattr(sys.modules["__main__"], "snakemake"):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
