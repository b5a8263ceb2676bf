"""Dictionaries of CSPro 8: JSON, in which items of relative position have no start and follow one another."""

import json
from typing import Any

from hims_pipeline.errors import DataError
from hims_pipeline.readers.formats.cspro.dictionary import RULE, SPECIAL, CsproDictionary, Item, Record
from hims_pipeline.words import senders_text, words

Json = dict[str, Any]


def from_json(text: str) -> CsproDictionary:
    """The dictionary in a text.

    Raises:
        DataError: it is no dictionary, or ends early.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = error.lineno
    except RecursionError:
        raise DataError(RULE, words("is nested too deeply for a dictionary")) from None
    else:
        return _dictionary(value)
    message = words("is no well-formed JSON (line {line:,}); it may be cut off: send it again", line=place)
    raise DataError(RULE, message)


def _dictionary(value: Json) -> CsproDictionary:
    try:
        if value.get("fileType") != "dictionary":
            raise DataError(RULE, words("is no dictionary of CSPro (fileType)"))
        kind = value.get("recordType") or {}
        cspro_dictionary = CsproDictionary(int(kind.get("start", 0)), int(kind.get("length", 0)))
        defaults = value.get("defaults") or {}
        for level in value["levels"]:
            cspro_dictionary.ids.append([_item(one, int(one["start"]), defaults) for one in level["ids"]["items"]])
        behind = max(
            [
                cspro_dictionary.type_start + cspro_dictionary.type_width,
                *(i.end + 1 for ids in cspro_dictionary.ids for i in ids),
            ]
        )
        for number, level in enumerate(value["levels"]):
            for record in level.get("records", ()):
                items = _items(record.get("items", ()), behind, defaults)
                cspro_dictionary.records.append(
                    Record(record["name"], str(record.get("recordType", "")), number, items)
                )
    except (KeyError, TypeError, AttributeError, ValueError):
        pass  # and raise outside
    else:
        return cspro_dictionary
    message = words("is no dictionary of CSPro 8: something that each has is missing or of another kind")
    raise DataError(RULE, message)


def _items(values: list[Json], behind: int, defaults: Json) -> list[Item]:
    """The items of a record; one without a start follows the one before it, a subitem is counted from its item."""
    items: list[Item] = []
    following, parent = behind, behind
    for value in values:
        if value.get("subitem"):
            start = int(value["start"]) if "start" in value else parent + int(value["subitemOffset"])
            items.append(_item(value, start, defaults))
            continue
        parent = int(value.get("start", following))
        items.append(_item(value, parent, defaults))
        following = items[-1].end + 1
    return items


def _item(value: Json, start: int, defaults: Json) -> Item:
    kind = value.get("contentType", "numeric")
    if kind not in ("numeric", "alpha"):
        named, what = senders_text(str(value["name"]), "an item"), senders_text(str(kind))
        message = words("has {item}, of content type {kind}, which no line of text can hold", item=named, kind=what)
        raise DataError(RULE, message)
    repeated = value.get("occurrences") or 1
    item = Item(
        name=value["name"],
        start=start,
        width=int(value["length"]),
        label=next(iter(_labels(value)), ""),
        numeric=kind == "numeric",
        decimals=int(value.get("decimals", 0)),
        decimal_mark=bool(value.get("decimalMark", defaults.get("decimalMark", False))),
        zero_fill=bool(value.get("zeroFill", defaults.get("zeroFill", False))) and kind == "numeric",
        occurrences=int(repeated["maximum"]) if isinstance(repeated, dict) else int(repeated),
        subitem=bool(value.get("subitem")),
    )
    for one in (value.get("valueSets") or [{}])[0].get("values") or ():  # the first is the item's own
        codes = [str(pair["value"]).rstrip() for pair in one.get("pairs") or () if str(pair.get("value", "")).strip()]
        item.values |= dict.fromkeys(codes, _labels(one))
        if special := one.get("special"):
            item.missing |= dict.fromkeys(codes, SPECIAL.get(special, "_U"))
    return item


def _labels(value: Json) -> tuple[str, ...]:
    return tuple(str(one["text"]) for one in value.get("labels") or ())
