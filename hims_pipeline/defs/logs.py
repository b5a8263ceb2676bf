"""What a run prints where it runs: our own lines, without Dagster's run ids and step keys around them."""

import logging

from hims_pipeline.privacy.notice import mark
from hims_pipeline.settings import load_settings


class Plain(logging.Formatter):
    """Time, level where it is more than information, and the message as we wrote it; with the demonstration key, each
    line says so. Every installation's `dagster.yaml` names it so."""

    def __init__(self) -> None:
        super().__init__()
        notice = mark(load_settings())
        self.mark = f"  {notice}" if notice else ""

    def format(self, record: logging.LogRecord) -> str:
        text = getattr(record, "dagster_meta", {}).get("orig_message") or record.getMessage()
        level = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        time = self.formatTime(record, "%H:%M:%S")
        return "\n".join(f"{time}{self.mark}  {line}" for line in f"{level}{text}".splitlines() or [""])
