#!/usr/bin/env bash
# Create .venv and install exactly the versions of a lock file. Usage: environment.sh PYTHON LOCK TORCH TORCH_INDEX
set -euo pipefail
python=$1 lock=$2 torch=$3 index=$4

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "$("$python" --version) is too old; Python 3.11 or later is needed: make PYTHON=/path/to/python3.11" >&2
    exit 1
}
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Creating the environment .venv with $("$python" --version)."
    "$python" -m venv --clear .venv
fi

version=$(sed -n 's/^torch==//p' requirements.lock)
case $torch in
    any) wanted="torch==$version" ;;
    cpu) wanted="torch==$version+cpu" ;;
    cuda) wanted="torch==$version" ;;
    *)
        echo "TORCH=$torch is not known; choose any, cpu or cuda" >&2
        exit 1
        ;;
esac
options=()
if [ -n "$index" ]; then options+=(--extra-index-url "$index"); fi

# Python compiles a module when it first imports it and keeps the result; pip would compile every file, and most are
# never imported. Where Python may not keep it, pip does so once.
if [ -z "${PYTHONDONTWRITEBYTECODE:-}" ]; then options+=(--no-compile); fi

echo "Installing $(grep -c '==' "$lock") packages of $lock into .venv (torch build: $torch); this takes a minute or two."
# torch comes first and with its own dependencies: they differ between its CPU and CUDA builds.
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check "${options[@]}" -c requirements.lock "$wanted"; then
    echo "Torch $wanted could not be installed; choose another build with TORCH=any, or name an index that has it with TORCH_INDEX" >&2
    exit 1
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "${options[@]}" -r "$lock"
if [ "$torch" = cuda ] && ! .venv/bin/python -c 'import sys, torch; sys.exit(torch.version.cuda is None)'; then
    echo "TORCH=cuda was asked for, but the package index served a build without CUDA; name an index that has one with TORCH_INDEX" >&2
    exit 1
fi
echo "The environment is ready."
