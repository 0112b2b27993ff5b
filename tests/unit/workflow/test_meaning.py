"""What of a source file counts: what it does, not what people and type checkers read."""

import ast

import pytest

from dere.workflow.meaning import meaning

SOURCE = '''"""Module."""

from dataclasses import dataclass

LIMIT = 3


@dataclass
class Site:
    """A site."""

    name: str
    """Its name."""
    level: float = 0.5


def area(sites, factor=2):
    """Area."""
    total = 0
    for site in sites:
        total += site.level * factor
    return total
'''


def of(text):
    return meaning(ast.parse(text))


def edited(old, new):
    assert SOURCE.count(old) == 1
    return SOURCE.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "# why\nLIMIT = 3  # three"),
        ("LIMIT = 3", "LIMIT = (\n    3\n)"),
        ('"""Module."""', '"""Another."""'),
        ('"""Module."""', ""),
        ('    """A site."""\n', ""),
        ('"""Its name."""', '"""What it is called."""'),
        ('    """Area."""\n', '    """Area of sites,\n\n    in hectares."""\n'),
        ("def area(sites, factor=2):", "def area(sites: list[Site], factor: float = 2) -> float:"),
        ("total = 0", "total: float = 0"),
        ("total = 0", "site: Site\n    total = 0"),
        ("LIMIT = 3", "LIMIT = 3\nif TYPE_CHECKING:\n    from dere.a import Typed"),
        ("LIMIT = 3", "LIMIT = 3\nif typing.TYPE_CHECKING:\n    from dere.a import Typed"),
        ("    total = 0", "    pass\n    total = 0"),
        ("return total", "...\n    return total"),
    ],
)
def test_what_only_people_read_does_not_count(old, new):
    assert of(edited(old, new)) == of(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("LIMIT = 3", "LIMIT = '3'"),
        ("LIMIT = 3", "LIMIT = None"),
        ("LIMIT = 3", "LIMIT: float = 3"),
        ("LIMIT = 3", "import dere.a\n\nLIMIT = 3"),
        ("LIMIT = 3", "if not TYPE_CHECKING:\n    LIMIT = 3"),
        ("LIMIT = 3", "if TYPE_CHECKING:\n    pass\nelse:\n    LIMIT = 3"),
        ("    name: str", "    name: int"),
        ("    name: str\n", ""),
        ("level: float = 0.5", "level: float = 0.6"),
        ("level: float = 0.5", "level = 0.5"),
        ("@dataclass\n", "@dataclass(frozen=True)\n"),
        ("class Site:", "class Site(Base):"),
        ("factor=2", "factor=3"),
        ("factor=2", "*, factor=2"),
        ("def area", "async def area"),
        ("+=", "-="),
        ("site.level * factor", "factor * site.level"),
        ("    return total", "        return total"),
    ],
)
def test_what_changes_a_result_counts(old, new):
    assert of(edited(old, new)) != of(SOURCE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(None)", "f()"),
        ("f([])", "f()"),
        ("f(b'a')", "f('a')"),
        ("f(1, 2)", "f((1, 2))"),
        ("{**a}", "{None: a}"),
        ("del a.b", "a.b"),
        ("x[1:]", "x[:1]"),
        ("f(True)", "f(1)"),
        ("f(0.0)", "f(-0.0)"),
    ],
)
def test_empty_fields_are_not_mixed_up(one, other):
    assert of(one) != of(other)


@pytest.mark.parametrize("decorator", ["dispatch.register", "field_validator('a')", "validate_call", "app.command()"])
def test_annotations_that_a_decorator_may_read_count(decorator):
    text = "@{}\ndef function(a: {}):\n    b: {} = a\n    return b\n"
    assert of(text.format(decorator, "int", "int")) == of(text.format(decorator, "int", "str"))
    assert of(text.format(decorator, "int", "int")) != of(text.format(decorator, "str", "int"))


@pytest.mark.parametrize(
    "decorator", ["property", "functools.cache", "lru_cache(maxsize=1)", "torch.no_grad()", "x.setter"]
)
def test_annotations_under_other_decorators_do_not_count(decorator):
    text = "class A:\n    @{}\n    def function(self, a{}):\n        return a\n"
    assert of(text.format(decorator, ": int")) == of(text.format(decorator, ""))


def test_a_class_inside_a_function_keeps_its_annotations():
    text = "def f():\n    class Row:\n        a: {}\n    return Row\n"
    assert of(text.format("int")) != of(text.format("str"))
