"""What is put into landing where no real delivery is at hand: the sources of the synthetic country.

`WRITERS` lists the writer of each source. Not here: the country itself (`country`), broken deliveries for tests
(`broken`), or delivering (`lake.landing`).
"""

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from hims_pipeline.errors import HimsError
from hims_pipeline.settings import Settings
from hims_synthetic import (
    borders,
    census,
    civil_registration,
    consular_register,
    foreign_students,
    hims_survey,
    lfs_migration,
    oecd,
    placements,
    remittances,
    residence_cards,
    social_security,
    students_abroad,
    work_authorisations,
)
from hims_synthetic.country import SEED, Country, open_country
from hims_synthetic.sample import Sample
from hims_synthetic.streams import MARK

SCALE = 0.01
WRITERS: dict[tuple[str, ...], Callable[[Country, Path], list[Sample]]] = {
    ("rgph", "rgph_one_in_five"): census.write,
    ("hims_survey",): hims_survey.write,
    ("lfs_migration",): lfs_migration.write,
    ("border_crossings",): borders.write,
    ("residence_cards",): residence_cards.write,
    ("work_authorisations",): work_authorisations.write,
    ("consular_register",): consular_register.write,
    ("foreign_students",): foreign_students.write,
    ("students_abroad", "student_departures"): students_abroad.write,
    ("civil_registration",): civil_registration.write,
    ("placements_atct", "placements_aneti", "placements_private"): placements.write,
    ("social_security",): social_security.write,
    ("remittances",): remittances.write,
    ("oecd_migration",): oecd.write,
}
ERROR_PAGE = """<!DOCTYPE html>
<html lang="fr">
<head><meta charset="utf-8"><title>502 Bad Gateway</title></head>
<body><h1>502 Bad Gateway</h1><p>Le serveur est momentanément indisponible.</p></body>
</html>
"""
README = f"""{MARK}: everything in this folder is invented. No file here holds a record of a person.

deliveries/<source>/<period>/  what the sources of a synthetic country send; scale {{scale}}, seed {{seed}}
truth/                         who they really are and where they lived, which no source knows:
                               persons_{MARK}.parquet, stays_{MARK}.parquet, and true_keys_{MARK}.parquet
                               with the owners of numbers that some source gives out
"""


def make_samples(
    settings: Settings,
    out: Path,
    seed: int = SEED,
    scale: float = SCALE,
    say: Callable[[str], None] = lambda text: None,
    truth: Path | None = None,
    only: Collection[str] = (),
) -> list[Sample]:
    """Write what all sources send under `out/<source>/<period>/`; the same seed and scale give the same bytes.

    Args:
        say: is told about progress.
        truth: folder for true identities and stays, closed to other users; none are written without it.
        only: sources to write; all without it.

    Raises:
        HimsError: this observatory's data have no recipe, or a source of `only` has no writer.
    """
    known = {source for sources in WRITERS for source in sources}
    if strangers := set(only) - known:
        raise HimsError(f"No sample of {', '.join(sorted(strangers))}; there is one of {', '.join(sorted(known))}.")
    samples: list[Sample] = []
    with open_country(settings, seed, scale, say) as country:
        for sources, write in WRITERS.items():
            if only and not set(sources) & set(only):
                continue
            for sample in write(country, out):
                if only and sample.source not in only:  # a writer may know several
                    shutil.rmtree(out / sample.source, ignore_errors=True)
                    continue
                samples.append(sample)
                say(f"{sample.source} {sample.period}: {sum(f.stat().st_size for f in sample.files) / 1e6:,.1f} MB")
        if truth is not None:
            write_truth(country, truth)
            say("truth: written")
    return samples


def make_tree(settings: Settings, out: Path, seed: int, scale: float, say: Callable[[str], None]) -> list[Sample]:
    """All sources under `out/deliveries`, the truth under `out/truth` (mode 0700), and a note on what it is."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("deliveries", "truth"):
        shutil.rmtree(out / name, ignore_errors=True)
    (out / f"README_{MARK}.txt").write_text(README.format(scale=scale, seed=seed), encoding="utf-8")
    return make_samples(settings, out / "deliveries", seed, scale, say, out / "truth")


def write_truth(country: Country, out: Path) -> None:
    """`persons`, `stays` and `true_keys` as Parquet, readable by their owner alone."""
    out.mkdir(parents=True)
    out.chmod(0o700)
    for name in ("persons", "stays", "true_keys"):
        country.con.execute(f"copy {name} to '{out / f'{name}_{MARK}.parquet'}' (format parquet)")
    note = f"{MARK}: true identities and stays of an invented country; for measuring linkage, not a delivery.\n"
    (out / f"README_{MARK}.txt").write_text(note, encoding="utf-8")


def demo_deliveries(
    settings: Settings, out: Path, seed: int = SEED, scale: float = SCALE, only: Collection[str] = ()
) -> list[Sample]:
    """The good sample with two deliveries that must be refused: 2024-04 has no row, 2024-05 is an error page."""
    deliveries = make_samples(settings, out, seed, scale, only=only)
    for delivery in deliveries:
        if delivery[:2] == ("border_crossings", "2024-04"):
            file = delivery.files[0]
            file.write_text(file.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
        if delivery[:2] == ("border_crossings", "2024-05"):
            delivery.files[0].write_text(ERROR_PAGE, encoding="utf-8")
    return deliveries
