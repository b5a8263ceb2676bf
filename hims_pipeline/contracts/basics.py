"""What all records of a contract share: strictness, names, codes, labels."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _read_code(code: Any) -> Any:
    """A code is a text or a number; of `true`, `false` and `null` YAML keeps no more than what they mean."""
    if code is None or isinstance(code, bool):
        raise ValueError(f"put the code in quotes: {'null' if code is None else str(code).lower()!r}")
    return code


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
# Part of a name such as `stg_<source>__<entity>`, which two pairs must not share.
NamePart = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
Whole = Annotated[int, Field(strict=True)]
Positive = Annotated[int, Field(strict=True, ge=1)]
Flag = Annotated[bool, Field(strict=True)]  # `true` or `false`, and no other word for them
Raw = Annotated[str | int | float, BeforeValidator(_read_code)]  # a code as it is written
SPECIAL_CODES = {
    "_T": "total",
    "_U": "unknown or not stated",
    "_Z": "not applicable",
    "_R": "refused",
    "_C": "suppressed",
}


class Strict(BaseModel):
    """Unknown fields are errors: a misspelt option must not be an option that does nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(BaseModel):
    """A label in the languages of the observatory, by their ISO 639 codes. English, the working language of reports and
    documentation, is the one that must be there; `observatory.yml` says which others are."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], str] = Field(init=False)
    en: str

    def get(self, language: str) -> str:
        """The label in a language; empty where there is none."""
        return self.en if language == "en" else self.others.get(language, "")

    @property
    def others(self) -> dict[str, str]:
        """The label in languages other than English."""
        return dict(self.__pydantic_extra__ or {})

    def columns(self, name: str, languages: tuple[str, ...]) -> dict[str, str]:
        """The label as columns of a table, `<name>_<language>` each."""
        return {f"{name}_{language}": self.get(language) for language in languages}
