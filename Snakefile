"""DERE: simulations, plant-type maps and flux towers in; monthly GPP, RECO and NEE with uncertainty out."""


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/source_files.smk"
include: "workflow/rules/members.smk"
include: "workflow/rules/run_files.smk"


check_folder()
normalise_in_place(config)
tell_of_other_versions()


envvars:
    *handed_on(),


pathvars:
    results=f"results/{config['run']}",
    data=f"results/{config['run']}/data",
    interim=f"results/{config['run']}/interim",
    logs=f"results/{config['run']}/logs",
    benchmarks=f"results/{config['run']}/benchmarks",


wildcard_constraints:
    backbone="|".join([*config["backbones"], targets.NO_BACKBONE]),
    method="|".join(config["methods"]),
    fold=r"\d+",
    seed=r"\d+",


report: "workflow/report/workflow.rst"


include: "workflow/rules/world.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/plant_types.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/harmonise.smk"
include: "workflow/rules/stages.smk"
include: "workflow/rules/imputation.smk"
include: "workflow/rules/predictions.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/products.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        everything(config),
