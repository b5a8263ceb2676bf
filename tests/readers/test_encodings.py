"""Text in another encoding than the one that is declared, of the same script too, is refused by its letters; text in
the declared one is read, whatever language it is in, and in several."""

import random

import duckdb
import pandas as pd
import pytest
from babel import Locale

from hims_pipeline.errors import HimsError
from tests.readers.test_drafts import drafted  # noqa: F401 - a fixture
from tests.readers.test_second_look import sheet, spss, stata

COLUMNS = [{"name": "id", "type": "integer"}, {"name": "place", "type": "text"}]
DECLARED_AND_SENT = [
    ("windows-1252", "windows-1250", "cs"), ("windows-1252", "windows-1250", "pl"),
    ("windows-1252", "windows-1250", "hr"), ("windows-1252", "windows-1250", "hu"),
    ("windows-1252", "windows-1254", "tr"), ("windows-1252", "windows-1257", "lv"), ("windows-1252", "cp850", "fr"),
    ("windows-1252", "mac-roman", "es"), ("windows-1250", "windows-1252", "fr"),
    ("windows-1250", "windows-1252", "pt"), ("windows-1250", "iso-8859-2", "pl"),
    ("iso-8859-2", "windows-1250", "pl"), ("iso-8859-1", "iso-8859-2", "pl"), ("cp850", "windows-1252", "fr"),
    ("cp437", "cp850", "pt"), ("cp850", "cp852", "pl"), ("mac-roman", "windows-1252", "es"),
    ("windows-1256", "iso-8859-6", "ar"), ("iso-8859-6", "windows-1256", "ar"), ("windows-1256", "cp720", "ar"),
    ("windows-1252", "windows-1256", "ar"), ("windows-1251", "koi8-r", "ru"), ("cp866", "windows-1251", "ru"),
    ("windows-1252", "windows-1251", "ru"),
]  # fmt: skip


def names_in(language: str, codec: str) -> list[str]:
    """Names of countries and languages that can be written so."""
    locale = Locale.parse(language)
    names = [name.replace('"', "") for name in (*locale.territories.values(), *locale.languages.values())]
    return [name for name in names if can_write(name, codec)]


def can_write(name: str, codec: str) -> bool:
    try:
        return bool(name.encode(codec))
    except UnicodeEncodeError:
        return False


def table(names: list[str]) -> str:
    return "id,place\n" + "".join(f'{n},"{name}"\n' for n, name in enumerate(names))


@pytest.mark.parametrize(("declared", "sent", "language"), DECLARED_AND_SENT)
def test_another_encoding_than_the_declared_one_is_refused(read, declared, sent, language):
    content = table(names_in(language, sent)).encode(sent)
    seen = read({"people.csv": content}, COLUMNS, format={"encoding": declared})
    assert seen.rules == ["ENVELOPE-ENCODING"]
    assert "Send it in UTF-8" in seen.text
    assert not any(name in seen.text for name in names_in(language, sent) if len(name) > 8)


@pytest.mark.parametrize(("_", "sent", "language"), DECLARED_AND_SENT)
def test_the_encoding_that_was_sent_is_read_where_it_is_declared(read, _, sent, language):
    names = names_in(language, sent)
    seen = read({"people.csv": table(names).encode(sent)}, COLUMNS, format={"encoding": sent})
    assert seen.findings == ()
    assert [name for (name,) in seen.sql("place")] == names


@pytest.mark.parametrize(
    ("codec", "languages"),
    [
        ("windows-1252", ["fr"]), ("windows-1252", ["es", "pt"]), ("windows-1252", ["de", "sv", "da", "fr"]),
        ("windows-1252", ["is", "fi", "nl", "it", "ca"]), ("windows-1250", ["pl", "cs", "hu", "hr"]),
        ("windows-1254", ["tr"]), ("windows-1256", ["ar", "fr"]), ("windows-1257", ["lv", "lt"]),
        ("cp850", ["fr", "de", "es"]), ("iso-8859-2", ["hu"]), ("utf-8", ["fr", "ar"]),
        ("utf-8", ["pl", "tr", "es"]), ("utf-8", ["is", "da", "et"]), ("utf-8", ["vi", "az", "fr"]),
        ("utf-8", ["fa", "ur"]), ("utf-8", ["el", "he", "ru"]), ("utf-8", ["ja", "am", "hi", "th"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [3, 15, 100])
def test_names_of_countries_in_any_languages_are_read(read, codec, languages, size):
    chosen = random.Random(size)  # noqa: S311 - no secret
    names = [
        name
        for language in languages
        for name in chosen.sample(sorted(Locale.parse(language).territories.values()), size)
        if can_write(name, codec)
    ]
    assert read({"people.csv": table(names).encode(codec)}, COLUMNS, format={"encoding": codec}).findings == ()


@pytest.mark.parametrize(("declared", "sent", "language"), DECLARED_AND_SENT[1:3] + DECLARED_AND_SENT[8:10])
def test_text_at_fixed_places_too(read, declared, sent, language):
    content = "".join(f"{n:4}{name:<90}\n" for n, name in enumerate(names_in(language, sent))).encode(sent)
    columns = [{**COLUMNS[0], "start": 1, "width": 4, "allow": ["padding"]}]
    columns += [{**COLUMNS[1], "start": 5, "width": 90, "allow": ["padding"]}]
    form = {"type": "fixed_width", "encoding": declared}
    assert read({"people.csv": content}, columns, format=form).rules == ["ENVELOPE-ENCODING"]
    assert read({"people.csv": content}, columns, format=form | {"encoding": sent}).findings == ()


def written(form: str, names: list[str], folder) -> bytes:
    frame = pd.DataFrame({"id": range(len(names)), "place": names})
    if form == "excel":
        return sheet([["id", "place"], *([n, name] for n, name in enumerate(names))])
    if form == "delimited":
        return table(names).encode()
    if form == "parquet":
        with duckdb.connect() as con:
            con.execute(f"copy (select * from frame) to '{folder}/people.parquet'")
        return (folder / "people.parquet").read_bytes()
    return (spss if form == "spss" else stata)(folder, frame)


@pytest.mark.parametrize("form", ["delimited", "excel", "parquet", "spss", "stata"])
@pytest.mark.parametrize(
    ("language", "sent", "read_as"),
    [
        ("pl", "windows-1250", "windows-1252"), ("tr", "windows-1254", "windows-1252"),
        ("ar", "windows-1256", "windows-1252"), ("fr", "utf-8", "windows-1252"), ("ar", "utf-8", "windows-1256"),
        ("fr", "utf-8", "cp850"), ("es", "utf-8", "mac-roman"),
    ],
)  # fmt: skip
def test_letters_that_another_program_read_wrongly_are_refused_in_every_format(
    read, tmp_path, form, language, sent, read_as
):
    right = names_in(language, sent)[::4]
    wrong = [name.encode(sent).decode(read_as, "replace") for name in right]
    wrong = [name for name in wrong if "\ufffd" not in name]
    for names, rules in ((wrong, ["ENVELOPE-ENCODING"]), (right, [])):
        seen = read({f"people.{form}": written(form, names, tmp_path)}, COLUMNS, format={"type": form})
        assert seen.rules == rules
        assert not rules or "Export it again" in seen.text


@pytest.mark.parametrize("form", ["delimited", "excel", "parquet", "spss", "stata"])
def test_words_of_no_language_are_read_where_the_contract_says_that_they_are_meant(read, tmp_path, form):
    names = [name.encode("windows-1250").decode("windows-1252", "replace") for name in names_in("pl", "windows-1250")]
    names = [name for name in names if "\ufffd" not in name]
    sent = {f"people.{form}": written(form, names, tmp_path)}
    assert read(sent, COLUMNS, format={"type": form}).rules == ["ENVELOPE-ENCODING"]
    seen = read(sent, COLUMNS, format={"type": form, "any_letters": True})
    assert seen.rules == []
    assert [name for _, name in sorted(seen.sql("id, place"))] == names


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", ["fr", "ar"])
def test_utf_16_without_its_mark_is_called_so(read, drafted, codec, language):  # noqa: F811
    content = table(names_in(language, codec)).encode(codec)
    for declared in ("utf-8", "windows-1252", "utf-16"):
        seen = read({"people.csv": content}, COLUMNS, format={"encoding": declared})
        assert seen.rules == ["ENVELOPE-ENCODING"]
        assert "byte order mark" in seen.text
    with pytest.raises(HimsError, match="UTF-16 without its byte order mark"):
        drafted({"people.csv": content})


@pytest.mark.parametrize(
    ("language", "codec"),
    [
        ("fr", "windows-1252"), ("cs", "windows-1250"), ("pl", "iso-8859-2"), ("tr", "windows-1254"),
        ("ar", "windows-1256"), ("ar", "iso-8859-6"), ("ru", "koi8-r"), ("fr", "cp850"), ("es", "mac-roman"),
    ],
)  # fmt: skip
def test_a_draft_finds_the_encoding_and_says_that_it_is_a_guess(drafted, language, codec):  # noqa: F811
    content = table(names_in(language, codec)).encode(codec)
    messages, text = drafted({"people.csv": content})
    assert messages == []
    assert "is a guess: look at letters with accents" in text
    chosen = text.split("encoding: ")[1].split("}")[0].split(",")[0]
    assert content.decode(chosen) == table(names_in(language, codec))


def test_a_draft_says_where_several_encodings_would_fit(drafted):  # noqa: F811
    _, text = drafted({"people.csv": "id,place\n1,Győr\n2,Kőszeg\n3,Gödöllő\n4,Pécs\n".encode("windows-1250")})
    assert "windows-1250 would fit as well, with other letters" in text or "windows-1250 is a guess" in text


def test_a_draft_of_codes_in_no_known_letters_asks_for_utf_8(drafted):  # noqa: F811
    _, text = drafted({"people.csv": b"id,place\n1,\xa5\xbc\n2,\xa4\xa5\n3,\xbc\xa4\n"})
    assert "nothing tells what else" in text
