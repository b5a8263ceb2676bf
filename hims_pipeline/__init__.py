"""HIMS pipeline: from deliveries of migration data to a released, disclosure-safe warehouse of indicators."""

__version__ = "0.1.0"
__all__ = ["__version__", "connect"]


def __getattr__(name: str) -> object:
    if name == "connect":  # resolved late: analysts pay for the release reader only, Dagster for neither
        from hims_pipeline.release.reader import connect

        return connect
    raise AttributeError(name)
