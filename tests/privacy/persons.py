"""Persons who do not exist, with names and numbers that stand nowhere else, and rows about them."""

import random
from dataclasses import dataclass

NAMES = ["cin", "name", "remark", "sex", "n", "office"]


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist; `cin` 8 digits, `passport` a letter and 6 digits, `phone` 8 digits."""

    name: str
    cin: str
    passport: str
    phone: str

    @property
    def whole(self) -> str:
        return f"{self.name} {self.cin}"

    @property
    def words(self) -> tuple[str, ...]:
        return (self.name, self.name.split()[1], self.cin, self.passport, self.phone)


def people(count: int, seed: int = 7) -> list[Person]:
    """Persons with names that stand nowhere else, accents among their letters."""
    draw = random.Random(seed)  # noqa: S311 - a seed makes the scan repeatable
    syllables = ["zô", "khï", "rbé", "mja", "gou", "wiq", "dhè", "sfu", "ylo", "bnã"]
    found = []
    for _ in range(count):
        first, last = ("".join(draw.sample(syllables, 4)).capitalize() for _ in range(2))
        cin = f"{draw.choice('01')}{draw.randrange(10**7):07d}"
        passport = f"{draw.choice('QWXYZ')}{draw.randrange(10**6):06d}"
        found.append(Person(f"{first} {last}", cin, passport, f"9{draw.randrange(10**7):07d}"))
    return found


def rows_of(persons: list[Person]) -> list[list[str]]:
    """A sound row for each person; what is open text holds everything about them."""
    return [
        [one.cin, one.name, f"{one.whole} {one.passport} tel {one.phone}", str(1 + i % 2), str(i), f"office {i}"]
        for i, one in enumerate(persons)
    ]
