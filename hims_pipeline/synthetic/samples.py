"""What is put into landing where no real delivery is at hand: the good sample, and the demonstration's deliveries.

Not here: broken deliveries for tests (`broken`), or delivering (`lake.landing`).
"""

from pathlib import Path

from hims_pipeline.settings import Settings
from hims_pipeline.synthetic.borders import write_months
from hims_pipeline.synthetic.census import WAVES, write_wave
from hims_pipeline.synthetic.sample import Sample
from hims_pipeline.synthetic.streams import recipe_connection

SEED = 42
ERROR_PAGE = """<!DOCTYPE html>
<html lang="fr">
<head><meta charset="utf-8"><title>502 Bad Gateway</title></head>
<body><h1>502 Bad Gateway</h1><p>Le serveur est momentanément indisponible.</p></body>
</html>
"""


def make_samples(settings: Settings, out: Path, seed: int = SEED) -> list[Sample]:
    """Write the good sample under `out/<source>/<period>/`; the same seed gives the same bytes.

    Returns:
        Both waves of the census and six months of border crossings, by source and period.

    Raises:
        HimsError: this observatory's data have no recipe.
    """
    with recipe_connection(settings, seed) as con:
        months = write_months(con, out / "border_crossings")
        waves = {wave.year: write_wave(con, wave, out / "rgph" / wave.year) for wave in WAVES}
    found = [Sample("border_crossings", month, [path]) for month, path in months.items()]
    return found + [Sample("rgph", year, [path]) for year, path in waves.items()]


def demo_deliveries(settings: Settings, out: Path, seed: int = SEED) -> list[Sample]:
    """The good sample with two deliveries that must be refused: 2024-04 has no row, 2024-05 is an error page."""
    deliveries = make_samples(settings, out, seed)
    for delivery in deliveries:
        if delivery[:2] == ("border_crossings", "2024-04"):
            file = delivery.files[0]
            file.write_text(file.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
        if delivery[:2] == ("border_crossings", "2024-05"):
            delivery.files[0].write_text(ERROR_PAGE, encoding="utf-8")
    return deliveries
