"""What all records of a contract share: strictness, names, codes, labels."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Positive = Annotated[int, Field(ge=1)]
Raw = str | int | float  # a code as written in YAML; compared as text
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
