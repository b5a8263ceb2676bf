"""Which letters beyond ASCII languages are written with, and so what encoding words were written in.

Any byte is a letter in most one-byte encodings, so a text decodes in nearly each of them: `ę` of windows-1250 is `ê` in
windows-1252. A language has few such letters, and in a wrong encoding its words have those of no one language.
Not here: decoding (`encodings.py`).
"""

import re
from collections.abc import Sequence
from functools import lru_cache

# Letters that everyday text is written with (CLDR's exemplar characters), small ones; the three commonest first.
_LATIN = {
    "Albanian": "ëç",
    "Breton": "êùñâôü",
    "Catalan": "àóéçèíïòúü·",
    "Croatian, Serbian": "ščžćđ",
    "Czech": "áíěčďéňóřšťúůýž",
    "Danish, Norwegian": "øåæéôòó",
    "Dutch": "ëéïáäèíóöúü",
    "Estonian": "äõüöšž",
    "Faroese": "áíøæðóúý",
    "Finnish, Swedish": "äöåéü",
    "French": "éèçàâæêëîïôœùûüÿ",
    "German": "üöäßé",
    "Hungarian": "áéöíóőúüű",
    "Icelandic": "áíóæéðöúýþ",
    "Irish": "áíéóú",
    "Italian": "àèùéìîòó",
    "Kurdish": "êîşçû",
    "Latvian": "āīščēģķļņūž",
    "Lithuanian": "ėšųąčęįūž",
    "Polish": "łóąćęńśźż",
    "Portuguese": "ãçíàáâéêóôõúü",
    "Romanian": "ăţșâîşț",
    "Slovak": "áíýäčďéĺľňóôŕšťúž",
    "Spanish": "íóáéñúüªº",
    "Turkish": "ıüşâçîöûğ\u0307",
    "Welsh": "ŵôêâîïûŷ",
}
_ARABIC = "".join(map(chr, [*range(0x621, 0x63B), *range(0x640, 0x653)]))
_OTHERS = {
    "Arabic": _ARABIC,
    "Bulgarian, Russian, Ukrainian": "".join(map(chr, range(0x430, 0x450))) + "ёєіїґ",
    "Greek": "".join(map(chr, [*range(0x3AC, 0x3CF), 0x390])),
    "Hebrew": "".join(map(chr, range(0x5D0, 0x5EB))),
    "Persian, Urdu": _ARABIC + "پچژکگیٹڈڑںھہے",
    "Macedonian, Serbian": "".join(map(chr, range(0x430, 0x450))) + "ђѓјљњќћџѕ",
}
# Encodings that offices write in, the likely ones first: among those that give one text the first is named.
CODECS = (
    "windows-1252", "windows-1256", "windows-1250", "windows-1251", "windows-1254", "windows-1257", "windows-1253",
    "windows-1255", "iso-8859-15", "iso-8859-2", "iso-8859-6", "iso-8859-9", "cp850", "cp437", "cp852", "cp857",
    "cp720", "cp866", "koi8-r", "mac-roman", "mac-latin2",
)  # fmt: skip
_ALPHABETS = [(letters, True) for letters in _LATIN.values()] + [(letters, False) for letters in _OTHERS.values()]
_FRENCH = frozenset(_LATIN["French"])
_TOKEN = re.compile(r"[A-Za-z\x80-\U0010ffff]*[\x80-\U0010ffff][A-Za-z\x80-\U0010ffff]*")
_MOST = 500  # different words that are looked at
_MANY, _COMMON = 10, 0.15  # of so many words, so large a share has one of a language's three commonest letters
# Names of all countries in 27 languages, in the encodings of each and in mixtures of up to five languages: with these
# bounds one text of two thousand was refused in its own encoding, and five of six were found out in another one.
_READ, _WRITTEN, _FEWEST = 0.4, 0.8, 3
_READ_OF_MANY, _RATIO, _MORE = 0.9, 0.1, 5
_LIKELY, _NEARLY = 0.5, 0.1
_MARKS = "\u00a0«»‘’“”„‚–—…·°€•´`"  # beside a word; within one only an apostrophe and a blank may stand
_WITHIN = re.compile("[’\u00a0]")
_BEYOND = re.compile(r"[^\x00-\x7f]")
_ODD_CASE = re.compile(r"[a-zß-öø-ÿа-яё][A-ZÀ-ÖØ-ÞА-ЯЁ]")
_ODD_END = re.compile("iæ$", re.I)  # what the ć of so many names is in windows-1252
_ODD_MARK = re.compile("[\u064b-\u064d]..|^[\u064b-\u0652]")  # of Arabic: an ending's within a word, one on no letter


def find_codec(tokens: Sequence[str], codec: str) -> str | None:
    """The encoding that words (`tokens_of` a text) were written in, where they were read as another: in it nearly all
    that come out otherwise are words of one language, and as read they are not. None where nothing tells so.

    Args:
        codec: what they were read as.
    """
    raws = [_encode(token, codec) for token in tokens]
    best: tuple[float, str | None] = (0.0, None)
    for other in CODECS:
        others = [_decode(raw, other) for raw in raws]
        differing = [number for number, token in enumerate(tokens) if others[number] != token]
        if len(differing) < _FEWEST:
            continue
        read, written = _share(tokens, differing), _share(others, differing)
        gained = (written - read) * len(differing)
        if gained > best[0] and _is_plain(read, written, gained):
            best = (gained, other)
    return best[1]


def _is_plain(read: float, written: float, gained: float) -> bool:
    """Do shares of words tell beyond chance? Either nearly none of them fits as read, or nearly all do as written."""
    few = read <= _READ and written >= _WRITTEN and gained >= _FEWEST
    return few or (read <= _READ_OF_MANY and 1 - written <= _RATIO * (1 - read) and gained >= _MORE)


def is_utf8_read_as(tokens: Sequence[str], codec: str) -> bool:
    """Are most words (`tokens_of` a text) words only where they are written in an encoding again, and read as UTF-8?"""
    others = [_decode(_encode(token, codec), "utf-8") for token in tokens]
    everywhere = range(len(tokens))
    if len(tokens) < 2 or sum(other is None for other in others) * 2 > len(others):
        return False
    return _share(others, everywhere) >= _WRITTEN and _share(tokens, everywhere) <= _READ


def rank_codecs(raw: bytes) -> list[str]:
    """Encodings in which most words of some bytes are words of one language: the best first, and those that fit nearly
    as well and read otherwise."""
    tokens = [_encode(token, "latin-1") for token in tokens_of(raw.decode("latin-1"))]
    shares: dict[tuple[str | None, ...], tuple[float, str]] = {}
    for codec in CODECS:
        words = tuple(_decode(token, codec) for token in tokens)
        share = max(_share(words, range(len(words))), _share(words, range(len(words)), in_two=True))
        shares.setdefault(words, (share, codec))
    ranked = sorted(shares.values(), key=lambda one: -one[0])
    return [codec for share, codec in ranked if share >= _LIKELY and share >= ranked[0][0] - _NEARLY]


def tokens_of(text: str) -> list[str]:
    """Different words with a character beyond ASCII, of two letters or more, in their order."""
    tokens: dict[str, None] = {}
    for match in _TOKEN.finditer(text):
        if len(match[0]) > 1:
            tokens[match[0]] = None
            if len(tokens) == _MOST:
                break
    return list(tokens)


def _share(words: Sequence[str | None], among: Sequence[int], in_two: bool = False) -> float:
    """The share of some words that can be words of one language, the largest over all languages that the words as a
    whole can be in: where there are many, some have one of its commonest letters.

    Args:
        among: places of the words that are counted.
        in_two: a language of other letters stands beside French, as Arabic does in the Maghreb.
    """
    letters = [_letters_of(word) for word in words]
    best = 0
    for alphabet, is_latin in _ALPHABETS:
        common = frozenset(alphabet[:3])
        using = sum(one is not None and bool(one[0] & common) for one in letters)
        if is_latin and len(words) >= _MANY and using < _COMMON * len(words):
            continue
        known = frozenset(alphabet)
        fit = sum(
            one is not None
            and ((one[0] <= known and (is_latin or not one[1])) or (in_two and not is_latin and one[0] <= _FRENCH))
            for one in map(letters.__getitem__, among)
        )
        best = max(best, fit)
    return best / len(among) if among else 0.0


@lru_cache(maxsize=100_000)
def _letters_of(word: str | None) -> tuple[frozenset[str], bool] | None:
    """A word's letters beyond ASCII, and whether it has plain ones; None where no language has such a word."""
    bare = _WITHIN.sub("", word.strip(_MARKS)) if word else ""
    if not bare or any(odd.search(bare) for odd in (_ODD_CASE, _ODD_END, _ODD_MARK)):
        return None
    beyond = _BEYOND.findall(bare.lower())
    return frozenset(beyond), len(beyond) < len(bare)


def _encode(word: str, codec: str) -> bytes | None:
    try:
        return word.encode(codec)
    except UnicodeEncodeError:
        return None


def _decode(raw: bytes | None, codec: str) -> str | None:
    try:
        return None if raw is None else raw.decode(codec)
    except UnicodeDecodeError:
        return None
