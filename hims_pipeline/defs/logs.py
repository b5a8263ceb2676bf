"""What a run prints where it runs: our own lines, without Dagster's run ids and step keys around them."""

import logging


class Plain(logging.Formatter):
    """Time, level where it is more than information, and the message as we wrote it. Named in `dagster.yaml`."""

    def format(self, record: logging.LogRecord) -> str:
        said = getattr(record, "dagster_meta", {}).get("orig_message") or record.getMessage()
        level = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        return f"{self.formatTime(record, '%H:%M:%S')}  {level}{said}"
