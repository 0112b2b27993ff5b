"""What `make check` calls: nothing need be installed, and Python itself is looked at before any package is loaded."""

import runpy
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))
runpy.run_path(str(SOURCE / "dere" / "workflow" / "preflight.py"), run_name="__main__")
