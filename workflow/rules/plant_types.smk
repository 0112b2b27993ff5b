# Maps at 300 m: one job per year, so that an interrupted run goes on with the year it was at. No file is made where the
# folder of the maps holds aggregated ones only.

from dere.workflow import cover_files as cover_source

FINE_MAPS = answer(cover_source.maps_at_300_m)
MADE_MAPS = answer(cover_source.missing_years)
MAP_DEGREES = answer(cover_source.map_degrees)
AGE_FILES = answer(cover_source.age_files)


rule aggregate_plant_types:
    input:
        map=lambda wildcards: ancient(str(MADE_MAPS[wildcards.map])),
    output:
        "<interim>/plant_types/{map}",
    log:
        "<logs>/aggregate_plant_types/{map}.log",
    wildcard_constraints:
        map=r"ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-\d+-v[\d.]+nc",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        **made_by("aggregate_plant_types"),
        content=content_of(lambda wildcards: [str(MADE_MAPS[wildcards.map])]),
        config={
            "degrees": MAP_DEGREES,
            "area_weights": config["sources"]["cover"]["area_weights"],
        },
    script:
        "../scripts/aggregate_plant_types.py"


rule sample_plant_types:
    input:
        maps=given(map(str, FINE_MAPS.values())),
        towers="<interim>/towers.nc",
    output:
        "<interim>/site_pixels.csv",
    log:
        "<logs>/sample_plant_types.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        **made_by("sample_plant_types"),
        content=content_of([str(path) for path in FINE_MAPS.values()]),
        config={"tower_window_km": config["sources"]["cover"]["tower_window_km"]},
    script:
        "../scripts/sample_plant_types.py"
