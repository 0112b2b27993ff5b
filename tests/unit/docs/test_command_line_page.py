"""docs/command-line.md names every command and option that there is, and no other."""

import re
from pathlib import Path

import click
from click.testing import CliRunner

from dere.cli import main

PAGE = Path(__file__).parents[3] / "docs" / "command-line.md"
ROWS = dict(re.findall(r"^\| `dere ([^`]+)` \| (.*) \|$", PAGE.read_text(), re.M))


def usages(group=main, path="dere"):
    """Yield the usage of every command without its options, and the options."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from usages(command, f"{path} {name}")
        else:
            usage = command.collect_usage_pieces(click.Context(command))
            words = " ".join([path, name, *(word for word in usage if word != "[OPTIONS]")])
            own = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
            yield words.removeprefix("dere "), {text for option in own for text in option.opts}


def test_every_command_has_its_row_with_its_options():
    assert {usage: set(re.findall(r"`(--?[a-z]+(?:-[a-z]+)*)", row)) for usage, row in ROWS.items()} == dict(usages())


def test_the_explanation_on_the_page_is_what_is_printed():
    words, shown = re.search(r"^\$ dere (.*)\n((?:.*\n)*?)```", PAGE.read_text(), re.M).groups()
    assert CliRunner().invoke(main, words.split()).output == shown
