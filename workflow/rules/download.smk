# Published files, one target per data set: snakemake download_carbonglobe, or make download SOURCE=carbonglobe. No other
# rule asks for these, so a run never downloads anything by itself.

from dere.download.catalogue import names

DOWNLOADS = names()


rule download:
    output:
        f"{config['downloads']['folder']}/downloads/{{source}}.csv",
    log:
        "<logs>/download/{source}.log",
    wildcard_constraints:
        source="|".join(DOWNLOADS),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=2880,
    params:
        **made_by("download", run="downloads"),
        config=config["downloads"],
    script:
        "../scripts/download.py"


for source in DOWNLOADS:

    rule:
        name:
            f"download_{source}"
        input:
            f"{config['downloads']['folder']}/downloads/{source}.csv",
