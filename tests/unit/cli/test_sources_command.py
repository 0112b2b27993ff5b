"""``dere sources``: every product of every data set, with what its declaration says."""

import json

from dere.ingest.source import sources


def test_every_product_has_its_row(dere):
    products = [(source, product) for source in sources() for product in source.products]
    lines = dere("sources").output.splitlines()
    assert lines[0].split() == ["kind", "name", "product", "licence", "files"]
    assert len(lines) == len(products) + 1 > 15
    found = json.loads(dere("sources", "--json").output)
    for line, record, (source, product) in zip(lines[1:], found, products, strict=True):
        assert line.startswith(source.kind) and line.endswith(source.files) and product.licence in line
        assert tuple(record.values()) == (source.kind, source.name, product.title, product.licence, source.files)
