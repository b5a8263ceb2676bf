"""The two kinds of failure, never mixed: what others sent is wrong, or something of ours is.

`HimsError` is for people: its text says what is wrong and what to do, and the command line prints it without a trace.
`DataError` speaks of a delivery and refuses that delivery alone. Anything else that is raised is our own defect.
"""

from pathlib import Path

from hims_pipeline.words import as_message, our_text, words


class HimsError(Exception):
    """Something a person can mend; the message says how."""


class ContractError(HimsError):
    """A file under `data/` or `expectations/` does not say what it must; names the file and the place in it."""


class Busy(HimsError):
    """Another process holds the installation's lock."""


class Damaged(HimsError):
    """A record or file of ours is not what we wrote. It stops what rests on it, and nothing else.

    Args:
        path: the record; its place is told, never what stands in it.
        what: what is wrong with it.
    """

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path} {what}.")
        self.path, self.what = path, what


class MethodError(HimsError):
    """A method cannot estimate from the table it was given; says what of the table or model to change."""


class QuestionError(HimsError):
    """A question that cannot be asked of a release; says what of it to change."""


class ReleaseError(HimsError):
    """A release is missing, damaged, withdrawn, or may not be published."""


class DataError(Exception):
    """A delivery cannot be read. Holds no value of the data, only the file, the place and the rule.

    Args:
        rule: stable code of the envelope rule, such as `ENVELOPE-HEADER`.
        message: what is wrong and what the deliverer should do, made by `words`; plain text stays in the closed zone.
        file: the file, by its ordinal outside the zone and as it was sent inside.
    """

    def __init__(self, rule: str, message: str, file: str = "") -> None:
        self.rule, self.message = rule, as_message(message)
        self.file = as_message(file) if file else our_text("")
        super().__init__(words("{file}: {message}", file=self.file, message=self.message) if file else self.message)
