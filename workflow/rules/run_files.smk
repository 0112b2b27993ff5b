# Files of a run: what is evaluated, given away, drawn and complete.

from dere.run_config.paths import braces


def check_folder():
    """Stop with a sentence when Snakemake would read the folder of the workflow as a pattern."""
    if said := braces(str(workflow.basedir)):
        raise WorkflowError(said)


def simulation_of_exchange(exchange):
    """Return the simulation's states of an exchange, where it has any."""
    states = exchanges.get(exchange).states
    return {"simulation": canonical_file(exchange, "simulation")} if states else {}


def canonical_file(exchange, name):
    """Return a canonical file of an exchange, which may be that of the run."""
    return f"<results>/{layout.canonical(exchange)[name]}"


def read_for_states(exchange):
    """Return what an exchange reads that makes its states itself."""
    makes = exchanges.get(exchange).simulate
    names = ("drivers", "simulation") if makes else ()
    files = {name: f"<data>/{name}.nc" for name in names}
    if exchange == source_modules.METHANE and source_modules.of_methane(config):
        files["given"] = in_run(exchange, "interim/methane.nc")
    return files


def made_states(exchange):
    """Return the simulation of an exchange that makes its states itself."""
    return simulation_of_exchange(exchange) if exchanges.get(exchange).simulate else {}


def runs_of(config, pattern):
    """Return ``pattern`` for every fold and seed."""
    return expand(pattern, fold=config["folds"], seed=config["seeds"])


def first_run_of(config, pattern):
    """Return ``pattern`` for the first fold and seed."""
    return runs_of(config, pattern)[0]


def labels_and_truth(config):
    """Return the truth and the labels that are judged by it, which only the built-in world can."""
    truth = truth_file(config)
    labels = "<results>/labels/fold{fold}/seed{seed}/labels.nc"
    return truth | {"labels": runs_of(config, labels)} if truth else {}


def files_of_exchange(exchange, names):
    """Return the prediction files of an exchange that ``names(config, exchange)`` lists."""
    folder = in_run(exchange, "predictions")
    return [f"{folder}/{name}.nc" for name in names(config, exchange)]


def evaluated_files(config, exchange):
    """Return what the evaluation reads beside predictions: truth and public maps, where the exchange has them."""
    files = truth_file(config) if exchange == exchanges.DEFAULT else {}
    if targets.has_map(config, exchange):
        files |= with_sums("products", in_run(exchange, "products"))
    return files


def costs_of_exchange(config, exchange):
    """Return the files in which the jobs of an exchange say what they cost."""
    folder = in_run(exchange, "benchmarks")
    return [f"{folder}/{job}.csv" for job in targets.benchmarks(config, exchange)]


def product_files(config, exchange):
    """Return the predictions that are given away, and the manifests of the networks behind them."""
    member = targets.product_member(config, exchange)
    folder = in_run(exchange, f"predictions/{member}")
    files = {"ensemble": f"{folder}/ensemble.nc"}
    if targets.has_map(config, exchange):
        files["cells"] = runs_of(config, f"{folder}/fold{{fold}}/seed{{seed}}_cells.nc")
        networks = targets.training_jobs(config, exchange)[member]["networks"][-1:]
        backbone = member.split("/")[1]
        files["manifests"] = manifests(
            config, exchange, [(backbone, n) for n in networks]
        )
    return files


def manifests(config, exchange, networks):
    """Return the manifests of (backbone, stage) of all folds and seeds."""
    folder = in_run(exchange, "models")
    return [
        manifest
        for backbone, stage in networks
        for manifest in runs_of(
            config,
            f"{folder}/{backbone}/fold{{fold}}/seed{{seed}}/{stage}/manifest.json",
        )
    ]


def training_manifests(config, exchange):
    """Return the manifests of all stages that are trained."""
    return manifests(config, exchange, targets.trained(config, exchange))


def changed_files(config, exchange):
    """Return the files that tell what was dropped, filled or replaced for an exchange."""
    files = {
        "counts": in_run(exchange, "data/counts.csv"),
        "towers": in_run(exchange, "data/towers.nc"),
    }
    if exchange != exchanges.DEFAULT:
        return files
    tables = {"towers": "sources", "cover": "sources_cover"}
    if config["sources"]["simulation"]["provider"] == "files":
        tables["simulation"] = "sources_simulation"
    files |= {
        f"sources_{source}": f"<results>/tables/{name}.csv"
        for source, name in tables.items()
    }
    files |= {name: f"<results>/tables/{name}.csv" for name in ("merged", "provenance")}
    if targets.has_imputation(config):
        fold, seed = config["folds"][0], config["seeds"][0]
        files["labels"] = f"<results>/labels/fold{fold}/seed{seed}/labels.nc"
    return files


def figure_inputs(config):
    """Return the files that the figures can use, by the names of the catalogue."""
    fold, seed = config["folds"][0], config["seeds"][0]
    run = f"fold{fold}/seed{seed}"
    tables = (
        "skill",
        "paired",
        "calibration",
        "site_calibration",
        "roles",
        "sites",
    )
    files = {name: f"<results>/tables/{name}.csv" for name in tables}
    files |= {
        name: f"<data>/{name}.nc" for name in ("towers", "drivers", "cover")
    } | truth_file(config)
    members = {
        method.name: targets.backbones_of(method, config)[0]
        for method in targets.methods_of(config)
    }
    if targets.compares_backbones(config):
        files["comparison"] = "<results>/tables/comparison.csv"
    files["predictions"] = [
        f"<results>/predictions/{m}/{backbone}/ensemble.nc"
        for m, backbone in members.items()
    ]
    networks = targets.networks(config)
    if networks:
        files["history"] = [
            f"<results>/models/{config['backbones'][0]}/{run}/{stage.name}/history.csv"
            for stage in networks
        ]
    if targets.has_imputation(config):
        files["labels"] = f"<results>/labels/{run}/labels.nc"
        files["history"].append(f"<results>/models/imputation/{run}/history.csv")
    if targets.has_map(config):
        files |= with_sums("products", "<results>/products")
        if "plant_fraction" in targets.product_method(config).gives:
            files["learned"] = (
                f"<results>/predictions/{targets.product_member(config)}/{run}_cells.nc"
            )
    return files


def figure_files(config):
    """Return the names of all files that the figures write."""
    settings = config["figures"]
    return outputs(figure_inputs(config), settings["formats"], settings["skip"])


def figure_outputs(config):
    """Return the files of the figures; the first format of each goes into the report with its caption."""
    found = {}
    for name in figure_files(config):
        stem, suffix = name.rsplit(".", 1)
        path = f"<results>/figures/{name}"
        if suffix == config["figures"]["formats"][0]:
            path = report(
                path,
                caption=f"../report/{stem}.rst",
                category=CATALOGUE[stem].category,
                labels={"figure": stem.replace("_", " ")},
            )
        found[f"{stem}_{suffix}"] = path
    return found


def opening_tables(exchange):
    """Return the tables that the first page of an exchange shows."""
    names = ("skill", *opening_plan.READ)
    return {name: in_run(exchange, f"tables/{name}.csv") for name in names}


def explorer_files(config, exchange):
    """Return what the explorer of an exchange shows."""
    tables = ["site_skill", "sites"]
    if targets.with_neighbours(config, exchange):
        tables.append("neighbours")
    files = {name: in_run(exchange, f"tables/{name}.csv") for name in tables}
    files["towers"] = in_run(exchange, "data/towers.nc")
    files["predictions"] = files_of_exchange(exchange, targets.ensembles)
    if targets.has_map(config, exchange):
        files |= with_sums("products", in_run(exchange, "products"))
    if exchange == exchanges.DEFAULT and targets.has_imputation(config):
        files["filled"] = "<results>/towers_filled/monthly.nc"
    return files


def everything(config):
    """Return the files of a complete run."""
    tables = ["provenance", "citations"]
    if targets.has_imputation(config):
        tables.append("imputation")
    filled = ["monthly.nc", "annual.nc"] if targets.has_imputation(config) else []
    return [
        "<results>/config.yaml",
        *(f"<results>/towers_filled/{name}" for name in filled),
        *(f"<results>/tables/{name}.csv" for name in tables),
        *(f"<results>/figures/{name}" for name in figure_files(config)),
        *(file for name in config["exchanges"] for file in complete(name)),
    ]


def complete(exchange):
    """Return the files of an exchange in a complete run."""
    tables = ["skill", "comparison", "cost", "changes", "sites"]
    if targets.with_neighbours(config, exchange):
        tables.append("neighbours")
    return [
        *(in_run(exchange, f"tables/{name}.csv") for name in tables),
        *files_of_exchange(exchange, targets.ensembles),
        *files_of_exchange(exchange, targets.fitted_on_all),
        in_run(exchange, "products"),
        in_run(exchange, "index.html"),
        in_run(exchange, "explorer/index.html"),
    ]
