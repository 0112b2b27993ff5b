"""What the public files say of the code that wrote them."""

from dere import __version__
from dere.config.products import ProductsConfig
from dere.products.attributes import global_attributes
from dere.workflow.products import provenance_of

HEAD = "source,file,product,version,role,rows,sha256,licence,citation,url,site"


def test_source_and_history_name_the_package_once_and_the_code(tmp_path):
    files = {name: tmp_path / name for name in ("drivers", "provenance")}
    for path in files.values():
        path.write_text(f"{HEAD}\n")
    origin = provenance_of([{"params": {"width": 8}, "sha256": "ab"}], files, "c0de")
    attrs = global_attributes("gpp", ProductsConfig(), origin, {}, "500 km")
    assert attrs["source"] == f"dere {__version__}, code c0de, configuration {origin.configuration}"
    assert attrs["history"].endswith(f"of dere {__version__}, code c0de")
    assert attrs["code_version"] == __version__
