"""A command is one file; help is quick; an error is a sentence unless it is a fault of the program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from dere import cli

HEAVY = ("numpy", "pandas", "pydantic", "snakemake", "torch", "xarray", "yaml")
ROOT = Path(__file__).parents[3]
HELP = """
import json, sys
from dere.cli import main
for words in json.loads(sys.argv[1]):
    main([*words, "--help"], standalone_mode=False)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
NEW = """
import click

COMMAND = click.Command("{name}", callback=lambda: click.echo("made"), help="A further one.")
"""


def commands(group=cli.main, words=()):
    """Yield the words and the click command of every command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


def program(*words, folder=ROOT):
    """Call this Python with the package of this checkout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_help_of_every_command_loads_nothing_heavy():
    words = [[], *(list(found) for found, _ in commands())]
    assert len(words) > 8
    shown = program("-c", HELP, json.dumps(words))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("Usage: ") == len(words)
    loaded = json.loads(shown.stdout.splitlines()[-1])
    assert "click" in loaded and not set(HEAVY) & set(loaded)


def test_a_command_is_called_as_its_file_and_explains_itself():
    for words, command in commands():
        assert command.name == words[-1] and command.help
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or parameter.help, (words, parameter.name)


@pytest.fixture
def further(tmp_path, monkeypatch):
    """Put a further file into the folder of the commands."""
    (tmp_path / "further.py").write_text(NEW.format(name="further"))
    (tmp_path / "serves_others.py").write_text("raise AssertionError('it declares nothing')\n")
    monkeypatch.setattr(cli, "__path__", [*cli.__path__, str(tmp_path)])
    monkeypatch.setattr(cli.__spec__, "submodule_search_locations", cli.__path__)
    cli.members.cache_clear()
    yield
    sys.modules.pop("dere.cli.further", None)
    cli.members.cache_clear()


def test_a_further_command_is_a_file(further, dere):
    assert "  further    A further one.\n" in dere("--help").output
    assert dere("further").output == "made\n"
    assert dere("serves_others").exit_code == 2


def failing(monkeypatch, error, place):
    """Let a command fail in a module of the package (``place``) or in this file."""

    def fail(*arguments):
        raise error

    if place:
        code = compile("def fail(*arguments):\n    raise error", place, "exec")
        exec(code, names := {"error": error})
        fail = names["fail"]
    monkeypatch.setattr("dere.run_config.explain.explain", fail)


def test_an_error_of_the_package_is_a_sentence(monkeypatch, dere):
    failing(monkeypatch, ValueError("file x is wrong; correct it"), str(ROOT / "src/dere/made_up.py"))
    found = dere("config", "explain", "run")
    assert (found.exit_code, found.output) == (1, "Error: file x is wrong; correct it\n")


def test_a_full_disk_and_a_missing_package_are_sentences(monkeypatch, dere):
    failing(monkeypatch, OSError(28, "No space left on device", "some.file"), "")
    found = dere("config", "explain", "run")
    assert found.exit_code == 1 and "some.file cannot be written or read (No space left on device)" in found.output
    failing(monkeypatch, ModuleNotFoundError("No module named 'snakemake'", name="snakemake"), "")
    found = dere("config", "explain", "run")
    assert found.exit_code == 1 and found.output.startswith("Error: the package snakemake cannot be found, but")


@pytest.mark.parametrize(
    "error",
    [ValueError("of a library"), OSError(5, "Input/output error"), ModuleNotFoundError("x", name="dere.moved")],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch, dere, error):
    failing(monkeypatch, error, "")
    assert dere("config", "explain", "run").exception is error


def test_wrong_words_have_status_2(dere):
    for words in (["no_such"], ["methods", "--no-such"], ["config", "explain"], ["run", "--cores", "0"]):
        assert dere(*words).exit_code == 2


def test_the_package_is_the_command():
    from dere import __version__

    shown = program("-m", "dere", "--version")
    assert (shown.returncode, shown.stdout) == (0, f"dere, version {__version__}\n")
    assert program("-m", "dere", "--help").stdout.startswith("Usage: dere ")
