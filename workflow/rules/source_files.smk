# Files of the sources: what ingest and harmonise read. Their dates do not count: what a run is given is compared by
# content (`content_of`), what the built-in world writes by the sums beside its folders.

WRITTEN = "<results>/"


def given(files):
    """Return files as inputs whose dates do not count."""
    return [ancient(file) for file in files]


def external(files):
    """Return the files that a run is given, not made by it."""
    return [file for file in files if not file.startswith(WRITTEN)]


def sums_of(files):
    """Return the files of sums beside folders that the run makes."""
    return [f"{file}.sums" for file in files if file.startswith(WRITTEN)]


def source_files(path, built_in):
    """Return the files of a source folder, or the built-in world's folder when no path is given."""
    return folder_files(path) if path else [built_in]


def folder_files(path):
    """Return every file below a folder; stop with a sentence when there is none that can be an input."""
    try:
        return source_folder.folder_files(path)
    except ValueError as error:
        raise WorkflowError(str(error)) from None


def simulation_files(config):
    """Return the files of a simulation, or the built-in world's folder."""
    return source_files(
        config["sources"]["simulation"]["path"], "<results>/raw/simulation"
    )


def methane_files(config):
    """Return the files of simulated methane; what lies beside them in the folder is no input."""
    source = source_modules.methane_source(config)
    if source is None:
        return []
    folder = config["sources"]["methane"]["path"]
    return [file for file in folder_files(folder) if source.matches(file)]


def array_files(config):
    """Return the files of a simulation that brings cover or towers, and its table of coordinates."""
    source = config["sources"]["simulation"]
    return [*folder_files(source["path"]), *coordinate_files(config)]


def coordinate_files(config):
    """Return the table of coordinates of a simulation that has one."""
    given = config["sources"]["simulation"]["coordinates"]
    return [given] if given else []


def arrays_of(config, source):
    """Return the simulation's sub-tree where a source is part of its arrays, else nothing."""
    own = config["sources"][source]["provider"] == "dere"
    return source_leaves.ingested_simulation(config) if own else {}


def own_towers(config):
    """Return the folders of towers that the run does not make, those of the package included."""
    source = config["sources"]["towers"]
    return tower_folders(source["provider"], source["paths"])


def tower_files(config):
    """Return the tower files of a run, the built-in world's virtual towers included."""
    if config["sources"]["towers"]["provider"] == "dere":
        return array_files(config)
    given = [file for path in own_towers(config) for file in folder_files(path)]
    return given or ["<results>/raw/towers", "<results>/raw/virtual_towers"]


def cover_files(config):
    """Return the files of the plant-type maps; none where plant types follow from the site's class."""
    source = config["sources"]["cover"]
    if source["provider"] == "dere":
        return array_files(config)
    return (
        source_files(source["path"], "<results>/raw/cover")
        if source["provider"] == "files"
        else []
    )


def answer(ask):
    """Return what the files of a source say; stop with a sentence when they are wrong."""
    try:
        return ask(config)
    except (ValueError, FileNotFoundError) as error:
        raise WorkflowError(str(error)) from None


def stand_ages(config):
    """Return the stand ages that the columns of the age tables stand for."""
    return (
        config["world"]["ages"]
        if config["world"]
        else config["sources"]["simulation"]["ages"]
    )


def with_sums(name, folder):
    """Return a folder that the run makes as an input, and its sums, which tell whether its content changed."""
    return {name: ancient(folder), f"{name}_sums": f"{folder}.sums"}


def truth_file(config):
    """Return the output that only the built-in world has."""
    return {"truth": "<data>/truth.nc"} if targets.has_truth(config) else {}


def interim_files(config):
    """Return what harmonise reads: all ingested sources of the run, and the world's truth."""
    files = {"cover": "<interim>/cover.nc", "towers": "<interim>/towers.nc"}
    files |= {
        f"provenance_{name}": f"<interim>/provenance_{name}.csv" for name in list(files)
    }
    if config["sources"]["simulation"]["provider"] == "files":
        names = {
            "forcing": "forcing.nc",
            "simulation": "simulation.nc",
            "provenance_simulation": "provenance_simulation.csv",
        }
        files |= {name: f"<interim>/{file}" for name, file in names.items()}
    if targets.has_truth(config):
        files |= with_sums("truth", "<results>/raw/truth")
    return files
