#!/bin/sh
# Build the wheel with all that a night needs: the packages, and data/, expectations/, dbt_project/ and deploy/ under
# share/hims_pipeline, where `settings.REPOSITORY` looks when no checkout lies beside the package. Downloads nothing.
#
#   deploy/wheel.sh FOLDER          # of the commit that is checked out
#   pip wheel --require-hashes --requirement requirements.lock --wheel-dir FOLDER    # and what it rests on, where there is a network
#   pip install --no-index --find-links FOLDER --require-hashes --requirement requirements.lock   # and on the host, without one
#   pip install --no-index --no-deps FOLDER/hims_pipeline-*.whl
set -eu
target=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git archive HEAD | tar -x -C "$tree"
share=$tree/share/hims_pipeline
mkdir -p "$share/docs"
mv "$tree/data" "$tree/expectations" "$tree/dbt_project" "$tree/deploy" "$share"
mv "$tree/docs/runbooks" "$tree/docs/alerts.md" "$share/docs"
cp "$tree/requirements.lock" "$share"
printf '\n[tool.hatch.build.targets.wheel.shared-data]\n"share" = "share"\n' >> "$tree/pyproject.toml"
"$python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$target" "$tree"
ls "$target"/hims_pipeline-*.whl
