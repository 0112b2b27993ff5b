"""Snakemake in a process of its own, which Ctrl-C ends without a traceback while it loads or reads the rules.

Started by its path, so that it needs no place on the search path; see `dere.workflow.launch`. Once jobs run, Snakemake
itself ends them on Ctrl-C.
"""

import signal
import sys

INTERRUPTED = 130
SHOW_CURSOR = "\x1b[?25h"
"""For a terminal whose live display was cut short."""

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from snakemake.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            sys.stderr.write(SHOW_CURSOR)
        sys.exit(INTERRUPTED)
