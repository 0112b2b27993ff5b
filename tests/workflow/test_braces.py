"""A checkout in a folder that Snakemake would read as a pattern."""

import dataclasses


def test_a_brace_in_the_path_of_the_checkout_ends_in_a_sentence(fresh):
    folder = fresh.folder / "clone of {x}"
    folder.mkdir()
    for part in ("Snakefile", "config.yaml", "config", "workflow", "src"):
        (folder / part).symlink_to(fresh.folder / part)
    refused = dataclasses.replace(fresh, folder=folder).snakemake("--dry-run", "--cores", "1")
    assert refused.returncode != 0 and "Traceback" not in refused.stdout
    assert "clone of {x} holds a brace, which Snakemake would read as a wildcard" in refused.stdout
