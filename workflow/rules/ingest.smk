# One rule per source: raw files in, one canonical file per source out.

TOWER_SOURCES = answer(source_modules.of_towers)
AGE_SOURCES = answer(source_modules.of_ages)
SIMULATION_SOURCES = answer(source_modules.of_simulation)
METHANE_SOURCES = answer(source_modules.of_methane)


rule ingest_simulation:
    input:
        files=given(simulation_files(config)),
        sums=sums_of(simulation_files(config)),
        coordinates=given(coordinate_files(config)),
    output:
        forcing="<interim>/forcing.nc",
        simulation="<interim>/simulation.nc",
        provenance="<interim>/provenance_simulation.csv",
        sources="<results>/tables/sources_simulation.csv",
    log:
        "<logs>/ingest_simulation.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        **read_by("ingest_simulation", SIMULATION_SOURCES),
        content=content_of(
            external([*simulation_files(config), *coordinate_files(config)])
        ),
        sources=SIMULATION_SOURCES,
        folder=config["sources"]["simulation"]["path"],
        driver_set=config["harmonise"]["driver_set"],
        config=source_leaves.ingested_simulation(config),
    script:
        "../scripts/ingest_simulation.py"


if METHANE_SOURCES:

    rule ingest_methane:
        input:
            files=given(methane_files(config)),
        output:
            methane=in_run("ch4", "interim/methane.nc"),
            provenance=in_run("ch4", "tables/provenance.csv"),
            sources=in_run("ch4", "tables/sources_methane.csv"),
        log:
            in_run("ch4", "logs/ingest_methane.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            **read_by("ingest_methane", METHANE_SOURCES),
            content=content_of(methane_files(config)),
            sources=METHANE_SOURCES,
            folder=config["sources"]["methane"]["path"],
            provider=config["sources"]["methane"]["provider"],
        script:
            "../scripts/ingest_methane.py"


rule ingest_cover:
    input:
        **answer(cover_source.place_files),
        files=given(cover_files(config)),
        towers=given(tower_files(config)),
        sums=sums_of([*cover_files(config), *tower_files(config)]),
        made=[f"<interim>/plant_types/{name}" for name in MADE_MAPS],
        pixels=["<interim>/site_pixels.csv"] if FINE_MAPS else [],
        ages=given(AGE_FILES),
    output:
        cover="<interim>/cover.nc",
        provenance="<interim>/provenance_cover.csv",
        sources="<results>/tables/sources_cover.csv",
    log:
        "<logs>/ingest_cover.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        **read_by(
            "ingest_cover", AGE_SOURCES, *source_modules.arrays_code(config, "cover")
        ),
        content=content_of(
            external([*cover_files(config), *tower_files(config), *AGE_FILES])
        ),
        sources=AGE_SOURCES,
        config=source_leaves.ingested_cover(config, AGE_SOURCES),
        towers=own_towers(config),
        ages=stand_ages(config),
        degrees=cover_source.cell_degrees(config, AGE_SOURCES),
        arrays=arrays_of(config, "cover"),
    script:
        "../scripts/ingest_cover.py"


rule ingest_towers:
    input:
        files=given(tower_files(config)),
        sums=sums_of(tower_files(config)),
    output:
        towers="<interim>/towers.nc",
        provenance="<interim>/provenance_towers.csv",
        merged="<results>/tables/merged.csv",
        sources="<results>/tables/sources.csv",
    log:
        "<logs>/ingest_towers.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        **read_by(
            "ingest_towers",
            TOWER_SOURCES,
            *source_modules.arrays_code(config, "towers"),
        ),
        content=content_of(external(tower_files(config))),
        sources=TOWER_SOURCES,
        folders=own_towers(config),
        config=source_leaves.ingested_towers(config, TOWER_SOURCES),
        limits=parameters.unrecorded(source_leaves.limits_of_towers(config)),
        arrays=arrays_of(config, "towers"),
    script:
        "../scripts/ingest_towers.py"
