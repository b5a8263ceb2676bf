"""Watching an installation: what is wrong with it now (`look`), whom that was told (`alert_book`, `tell`), and what a
watchdog outside Dagster reads (`health`, `metrics`). It reads what the pipeline left on the disk, and changes nothing
of it."""
