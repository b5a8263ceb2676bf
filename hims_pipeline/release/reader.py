"""How analysts open a release: resolve `CURRENT` once, read-only, and no way out of the file."""

from hims_pipeline.errors import ReleaseError
from hims_pipeline.release import store
from hims_pipeline.settings import Settings, load_settings


def connect(release: str | None = None, *, staff: bool = False, settings: Settings | None = None):
    """Open a release read-only.

    Args:
        release: id such as `r000012`; the current one without it.
        staff: the observatory's own file, with conformed facts and unprotected figures, instead of the public one.

    Returns:
        A DuckDB connection whose default schema is `published`. It keeps its release while newer ones come out.

    Raises:
        ReleaseError: nothing has been published yet, no such release, or no right to read the staff file.
    """
    import duckdb

    settings = settings or load_settings()
    chosen = store.get(settings, release) if release else store.current(settings)
    if chosen is None:
        raise ReleaseError(f"Nothing has been published in {settings.home} yet; `make run` does it.")
    path = (chosen.staff if staff else chosen.public) / "warehouse.duckdb"
    try:
        con = duckdb.connect(str(path), read_only=True, config={"enable_external_access": "false"})
    except duckdb.IOException as error:
        raise ReleaseError(f"{chosen.id}: {path} cannot be opened: {error}") from None
    con.execute("use published")
    con.execute("set lock_configuration = true")
    return con
