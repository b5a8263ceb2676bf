"""The lines of R that `hims why` writes, run as they stand: with R and its survey package, on what their own SQL gives.

R's driver of DuckDB is no package of Debian's, so `dbConnect` and `dbGetQuery` are stood in for here by functions that
read what DuckDB answered to the very query."""

import csv
import re
import subprocess
from pathlib import Path

import duckdb

QUERY = re.compile(r'dbGetQuery\(con, "(.*?)(?<!\\)"\)', re.DOTALL)


def run_r(recipes: dict[str, str], folder: Path) -> dict[str, list[float]]:
    """Name -> the numbers that the last line of each recipe gives (value, and error where there is one)."""
    script = ["suppressMessages(library(survey))"]
    for number, (name, recipe) in enumerate(recipes.items()):
        database = re.search(r'duckdb::duckdb\(\), "([^"]+)"', recipe)
        assert database, recipe
        with duckdb.connect(database[1], read_only=True) as con:
            for at, query in enumerate(QUERY.findall(recipe)):
                cursor = con.execute(query.replace('\\"', '"'))
                with (folder / f"{number}_{at}.csv").open("w", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerow([column[0] for column in cursor.description])
                    writer.writerows([["NA" if one is None else one for one in row] for row in cursor.fetchall()])
                recipe = recipe.replace(query, f"{folder}/{number}_{at}.csv", 1)
        lines = [line for line in recipe.splitlines() if not line.startswith(("library(", "con <-", "#"))]
        body = "\n".join(lines).replace("dbGetQuery(con, ", 'read.csv(na.strings = "NA", ')
        script.append(f'local({{ answer <- {{\n{body}\n}}; cat("{name}", format(answer, digits = 15), "\\n") }})')
    (folder / "all.R").write_text("\n".join(script), encoding="utf-8")
    done = subprocess.run(["Rscript", str(folder / "all.R")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split() for line in done.stdout.splitlines()]
    return {name: [float(one) for one in numbers] for name, *numbers in rows}
