# What the rule files share: the normalised configuration, the code behind a script, and look-ups by wildcard.
import os
import sys
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))
# Rule scripts run in their own process; they read the package from the checkout, whatever environment they have.
os.environ["PYTHONPATH"] = os.pathsep.join(
    dict.fromkeys([str(SOURCE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
)

from snakemake.exceptions import WorkflowError

from dere.config.root import normalise
from dere.workflow import targets
from dere.workflow.closure import code_files


def normalise_in_place(raw):
    """Replace the configuration by its complete, validated form; stop with a sentence on a wrong key or value."""
    try:
        complete = normalise(raw)
    except ValueError as error:
        raise WorkflowError(str(error)) from None
    raw.clear()
    raw.update(complete)


def code(script):
    """Return the script of a rule and all package files it runs, relative to the workflow's folder."""
    files = code_files(Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py", SOURCE)
    return [os.path.relpath(path) for path in files]
