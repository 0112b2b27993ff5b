"""``python -m dere`` is the command ``dere``."""

from dere.cli import main

main(prog_name="dere")
