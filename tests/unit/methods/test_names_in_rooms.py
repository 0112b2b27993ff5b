"""No code outside a method's room asks for the method by name; what it needs to know, the method declares."""

import ast
import re
from pathlib import Path

import pytest

from dere.methods import methods

ROOT = Path(__file__).parents[3]
NAMES = frozenset(methods())
OTHER_MEANING = {
    # A provider of towers, cover and simulation, and a format of files.
    "dere": {"provider", "format"},
    # A canonical file.
    "simulation": {"files", "reads", "_reads"},
}
"""Words that are also the name of something else, and what is compared with them then."""
HOMONYMS = frozenset(OTHER_MEANING)
SOURCES = [
    path
    for folder in ("src/dere", "workflow/scripts")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ROOT / "src" / "dere" / "methods" not in path.parents or path.parent.name == "methods"
]
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow" / "rules").glob("*.smk"))]
COMPARED = re.compile(
    r"""(?P<left>[\w.\[\]"']+)\s*(?:==|!=|\b(?:not\s+)?in\b)\s*(?P<right>[(\[{][^)\]}]*[)\]}]|[\w.\[\]"']+)"""
)
LITERAL = re.compile(r"""["']\w+["']|[(\[{].*""", re.S)
"""An operand that is a text or a collection of texts."""


def last_word(node):
    """Return the last name or key of an expression: ``provider`` of ``config["towers"]["provider"]``."""
    if isinstance(node, ast.Call):
        return last_word(node.func)
    if isinstance(node, ast.Subscript):
        return last_word(node.slice)
    return getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "value", None)


def texts(node):
    """Return the literal texts that an operand is or holds; the keys of a literal mapping."""
    parts = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    parts = node.keys if isinstance(node, ast.Dict) else parts
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def asked_names(tree):
    """Yield (line, name) wherever code compares with a method's name, looks one up or lists several."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            words = {last_word(operand) for operand in operands}
            for name in NAMES.intersection(*[set().union(*map(texts, operands))]):
                if not words & OTHER_MEANING.get(name, set()):
                    yield node.lineno, name
        elif isinstance(node, ast.MatchValue):
            yield from ((node.lineno, name) for name in NAMES & texts(node.value))
        elif isinstance(node, ast.Subscript):
            yield from ((node.lineno, name) for name in (NAMES - HOMONYMS) & texts(node.slice))
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("get", "pop", "startswith", "endswith"):
            yield from ((node.lineno, name) for word in node.args for name in (NAMES - HOMONYMS) & texts(word))
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.Dict)) and len(NAMES & texts(node)) > 1:
            yield node.lineno, ", ".join(sorted(NAMES & texts(node)))


def asked_in_rules(text):
    """Yield (line, name) of comparisons in a rule file, which is no plain Python."""
    for found in COMPARED.finditer(text):
        literal = [side for side in found.groups() if LITERAL.fullmatch(side)]
        words = {re.findall(r"\w+", side)[-1] for side in found.groups() if re.search(r"\w", side)}
        for name in NAMES & {word for side in literal for word in re.findall(r"""["'](\w+)["']""", side)}:
            if not words & OTHER_MEANING.get(name, set()):
                yield text[: found.start()].count("\n") + 1, name


@pytest.mark.parametrize(
    "line",
    [
        'x = 1 if method == "gbm" else 2',
        'if "kgml" != row["method"]: pass',
        'x = [m for m in known if m in ("dere", "ridge")]',
        'x = method.name not in {"dere_towers"}',
        'x = "dere" in config["methods"]',
        'x = name == "simulation"',
        'x = {"gbm": 1, "kgml": 2}[name]',
        'ORDER = ["climatology", "simulation"]',
        'x = scores["gbm_sim"]',
        'x = colours.get("baseline")',
        'x = name.startswith("gbm")',
        'match name:\n    case "kgml":\n        pass',
    ],
)
def test_a_question_for_a_name_is_found(line):
    assert list(asked_names(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        'x = source.provider == "dere" or source["format"] in ("dere", "netcdf")',
        'x = files["simulation"] if "simulation" in files else None',
        'x = method == "ridge"',
        'SOURCES = ("simulation", "cover", "towers")',
        'x = {"simulation": read(files["simulation"])}',
    ],
)
def test_the_same_word_for_something_else_is_none(line):
    assert not list(asked_names(ast.parse(line)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('rule a:\n    params:\n        x=1 if method.name == "gbm" else 2', [(3, "gbm")]),
        ('x = "kgml" in config["methods"]', [(1, "kgml")]),
        ("x = m not in (\n    'ridge',\n    'gbm',\n)", [(1, "gbm")]),
        ('x = config["sources"]["simulation"]["provider"] == "dere"', []),
        ('x = "simulation" in stage.reads', []),
        ('x = {"simulation": "simulation.nc"}', []),
    ],
)
def test_rule_files_are_searched_as_text(text, found):
    assert list(asked_in_rules(text)) == found


def test_no_method_is_asked_for_by_name():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in SOURCES
        for line, name in asked_names(ast.parse(path.read_text(encoding="utf-8")))
    ]
    found += [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in RULES
        for line, name in asked_in_rules(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_every_part_is_searched():
    searched = {path.relative_to(ROOT).parts[2] for path in SOURCES if path.is_relative_to(ROOT / "src")}
    assert {"config", "evaluation", "figures", "methods", "products", "training", "workflow"} <= searched
    assert len(RULES) > 10 and any("scripts" in path.parts for path in SOURCES)
