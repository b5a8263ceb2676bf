"""How many events of each kind happen in each period and governorate: whole numbers that make every balance exact.

Between two dates the residents of a governorate are those before, and births, arrivals, returns and moves in, less
deaths, departures and moves out. Published numbers are taken as they are, times the scale; births are what is left.
Not here: who the events happen to (`life`).
"""

from dataclasses import dataclass, field
from datetime import date

from hims_pipeline.errors import HimsError
from hims_synthetic.country.matrix import moves_between
from hims_synthetic.recipe import Recipe, Row, day, largest_remainder, spread

Cells = dict[tuple[str, ...], int]
YEAR = 365.25
SEXES = ("M", "F")


@dataclass
class Flows:
    """Events of one period, (from_date, to_date]. Keys: governorate, sex, country, as each comment says.

    `emigrants` are all who leave; `reported` those of them whose household stays behind and tells.
    """

    from_date: date
    to_date: date
    deaths: Cells = field(default_factory=dict)  # governorate; citizens
    foreign_deaths: Cells = field(default_factory=dict)  # governorate
    births: Cells = field(default_factory=dict)  # governorate; citizens who live at the end of the period
    infant_deaths: Cells = field(default_factory=dict)  # governorate; born and died within the period
    foreign_births: Cells = field(default_factory=dict)  # governorate
    emigrants: Cells = field(default_factory=dict)  # governorate, sex, country
    reported: Cells = field(default_factory=dict)  # country, sex
    returnees: Cells = field(default_factory=dict)  # sex, governorate
    arrivals: Cells = field(default_factory=dict)  # governorate, country
    departures: Cells = field(default_factory=dict)  # governorate
    moves: Cells = field(default_factory=dict)  # governorate left, governorate reached; the same for moves within
    deaths_abroad: int = 0
    births_abroad: int = 0

    @property
    def days(self) -> int:
        return (self.to_date - self.from_date).days


@dataclass(frozen=True)
class Start:
    """Where it begins: residents by governorate (citizens and foreigners), citizens abroad."""

    on: date
    residents: dict[str, int]
    foreigners: dict[str, int]
    abroad: int


def residents_at(recipe: Recipe, scale: float) -> list[dict[str, int]]:
    """Residents by governorate at the end of each period, as whole numbers that add up.

    A census gives them; at other dates the country's total is split by shares between the two censuses around.
    """
    rows, places = recipe.tables["periods"], recipe.tables["governorates"]
    known = {
        day(row["to_date"]): [float(place[f"persons_{row['to_date'][:4]}"]) for place in places]
        for row in rows
        if not row["residents_to"]
    }
    residents = []
    for row in rows:
        on = day(row["to_date"])
        shares = known.get(on) or _interpolate_shares(known, on)
        total = float(row["residents_to"] or sum(shares))
        residents.append(dict(zip(recipe.governorates, largest_remainder(round(total * scale), shares), strict=True)))
    return residents


def _interpolate_shares(known: dict[date, list[float]], on: date) -> list[float]:
    """Shares of the governorates on a day, on a line through the nearest two censuses; half the slope beyond them."""
    days = sorted(known)
    inner = [one for one in days if one <= on][-1:] + [one for one in days if one > on][:1]
    first, last = inner if len(inner) == 2 else (days[:2] if on < days[0] else days[-2:])
    a = [value / sum(known[first]) for value in known[first]]
    b = [value / sum(known[last]) for value in known[last]]
    at = (on - first).days / (last - first).days
    at = at / 2 if at < 0 else (1 + (at - 1) / 2 if at > 1 else at)
    return [x + (y - x) * at for x, y in zip(a, b, strict=True)]


def make_flows(recipe: Recipe, scale: float) -> tuple[Start, list[Flows]]:
    """The start and all periods.

    Raises:
        HimsError: the recipe asks for a number of births below zero somewhere.
    """
    rows, residents = recipe.tables["periods"], residents_at(recipe, scale)
    weights = recipe.column("governorates", "arrivals_weight")
    foreigners = dict(
        zip(recipe.governorates, largest_remainder(_scale(rows[0], "foreigners_to", scale), weights), strict=True)
    )
    start = Start(day(rows[0]["to_date"]), residents[0], dict(foreigners), _scale(rows[0], "abroad_to", scale))
    flows, abroad = [], start.abroad
    for number, row in enumerate(rows[1:], 1):
        period = _Period(recipe, row, scale, residents[number - 1], residents[number], foreigners, abroad)
        flows.append(period.make())
        foreigners, abroad = period.foreigners, period.abroad
    return start, flows


def _scale(row: Row, name: str, scale: float) -> int:
    return round(float(row[name]) * scale)


@dataclass
class _Period:
    """The work of one period; `foreigners` and `abroad` are those before, and after `make` those at its end."""

    recipe: Recipe
    row: Row
    scale: float
    before: dict[str, int]
    after: dict[str, int]
    foreigners: dict[str, int]
    abroad: int

    def make(self) -> Flows:
        self.flows = Flows(day(self.row["from_date"]), day(self.row["to_date"]))
        self.years = self.flows.days / YEAR
        self.places = self.recipe.governorates
        self._add_deaths()
        self._add_emigrants()
        self._add_returnees()
        self._add_foreigners()
        self._add_births()
        self._add_abroad()
        return self.flows

    def rate(self, name: str) -> float:
        return float(self.row[name]) / 1000

    def _add_deaths(self) -> None:
        mean = [(self.before[g] + self.after[g]) / 2 - self.foreigners[g] for g in self.places]
        total = round(sum(mean) * self.rate("deaths_per_1000") * self.years)
        self.flows.deaths = _cells(self.places, largest_remainder(total, mean))

    def _add_emigrants(self) -> None:
        """By country and sex first, which are published; then over the governorates."""
        name = f"persons_{self.flows.to_date.year}"
        countries = [row["country"] for row in self.recipe.tables["emigrants"]]
        whole = sum(self.recipe.column("emigrants", name))
        by_country = largest_remainder(round(whole * self.scale), self.recipe.column("emigrants", name))
        women = round(whole * self.scale * float(self.row["emigrants_percent_women"]) / 100)
        for country, persons, of_women in zip(countries, by_country, spread(women, by_country), strict=True):
            self.flows.reported[country, "M"] = persons - of_women
            self.flows.reported[country, "F"] = of_women
        more = 1 + float(self.row["percent_whole_households"]) / 100
        keys = sorted(self.flows.reported)
        reported = [self.flows.reported[key] for key in keys]
        # Never fewer than are reported; whole households come on top.
        extra = spread(round(sum(reported) * (more - 1)), reported)
        tendency = self.recipe.column("governorates", "emigration")
        weights = [self.before[g] * t for g, t in zip(self.places, tendency, strict=True)]
        for at, (country, sex) in enumerate(keys):
            # Each starts with another governorate: small cells do not all fall to the same few.
            start = at % 7
            places, shares = self.places[start:] + self.places[:start], weights[start:] + weights[:start]
            counts = zip(places, spread(reported[at] + extra[at], shares), strict=True)
            self.flows.emigrants |= {(g, sex, country): n for g, n in counts if n}

    def _add_returnees(self) -> None:
        total = _scale(self.row, "returnees", self.scale)
        women = round(total * float(self.row["returnees_percent_women"]) / 100)
        tendency = self.recipe.column("governorates", "emigration")
        weights = [self.before[g] * t for g, t in zip(self.places, tendency, strict=True)]
        for sex, number in (("M", total - women), ("F", women)):
            counts = zip(self.places, spread(number, weights), strict=True)
            self.flows.returnees |= {(sex, g): n for g, n in counts}

    def _add_foreigners(self) -> None:
        """Arrivals are given, births and deaths follow a rate, departures are what is left."""
        flows, held = self.flows, [self.foreigners[g] for g in self.places]
        arrivals = _scale(self.row, "foreign_arrivals", self.scale)
        placed = largest_remainder(arrivals, self.recipe.column("governorates", "arrivals_weight"))
        shares = self.recipe.column("nationalities", f"percent_arrivals_{flows.to_date.year}")
        countries = _shuffle(largest_remainder(arrivals, shares), self.recipe.countries)
        at = 0
        for g, number in zip(self.places, placed, strict=True):
            for country in countries[at : at + number]:
                flows.arrivals[g, country] = flows.arrivals.get((g, country), 0) + 1
            at += number
        births = spread(round(sum(held) * self.rate("foreign_births_per_1000") * self.years), held)
        deaths = spread(round(sum(held) * 0.003 * self.years), held)
        flows.foreign_births = _cells(self.places, births)
        flows.foreign_deaths = _cells(self.places, deaths)
        reached = _scale(self.row, "foreigners_to", self.scale)
        leaving = sum(held) + arrivals + sum(births) - sum(deaths) - reached
        if leaving < 0:
            raise HimsError(f"periods.csv, {self.row['to_date']}: foreigners_to needs more arrivals than there are")
        gone = largest_remainder(leaving, [h - d for h, d in zip(held, deaths, strict=True)])
        flows.departures = _cells(self.places, gone)
        self.foreigners = {
            g: h + a + b - d - x
            for g, h, a, b, d, x in zip(self.places, held, placed, births, deaths, gone, strict=True)
        }

    def _add_births(self) -> None:
        """Moves between governorates close the gap between births as expected and the census; births do the rest."""
        flows, places = self.flows, self.places
        others = {g: self.after[g] - self.before[g] - self._other_changes(g) for g in places}
        fertility = self.recipe.column("governorates", "fertility")
        expected = largest_remainder(
            sum(others.values()), [self.before[g] * f for g, f in zip(places, fertility, strict=True)]
        )
        net = [others[g] - births for g, births in zip(places, expected, strict=True)]
        total = _scale(self.row, "moved_between", self.scale)
        moved = moves_between(self.recipe, self.row, self.scale, [self.before[g] for g in places], net, total)
        flows.moves = {(places[a], places[b]): n for (a, b), n in moved.items() if n}
        within = spread(_scale(self.row, "moved_within", self.scale), [self.before[g] for g in places])
        flows.moves |= {(g, g): n for g, n in zip(places, within, strict=True)}
        for g in places:
            gained = sum(n for (_, to), n in flows.moves.items() if to == g)
            lost = sum(n for (origin, _), n in flows.moves.items() if origin == g)
            flows.births[(g,)] = others[g] - gained + lost
            if flows.births[(g,)] < 0:
                raise HimsError(f"periods.csv, {self.row['to_date']}: governorate {g} would need births below zero")
        counts = [flows.births[(g,)] for g in places]
        infants = spread(round(sum(counts) * self.rate("infant_deaths_per_1000")), counts)
        flows.infant_deaths = _cells(places, infants)

    def _other_changes(self, g: str) -> int:
        """What changes the residents of a governorate beside moves within the country and births of citizens."""
        flows = self.flows
        gained = flows.foreign_births[(g,)]
        gained += sum(n for (_, place), n in flows.returnees.items() if place == g)
        gained += sum(n for (place, _), n in flows.arrivals.items() if place == g)
        lost = flows.deaths[(g,)] + flows.foreign_deaths[(g,)] + flows.departures[(g,)]
        return gained - lost - sum(n for (place, _, _), n in flows.emigrants.items() if place == g)

    def _add_abroad(self) -> None:
        flows, reached = self.flows, _scale(self.row, "abroad_to", self.scale)
        flows.deaths_abroad = round(self.abroad * self.rate("deaths_abroad_per_1000") * self.years)
        joined, left = sum(flows.emigrants.values()), sum(flows.returnees.values())
        flows.births_abroad = max(0, reached - self.abroad - joined + left + flows.deaths_abroad)
        self.abroad += joined + flows.births_abroad - left - flows.deaths_abroad


def _cells(places: list[str], counts: list[int]) -> Cells:
    return {(g,): n for g, n in zip(places, counts, strict=True)}


def _shuffle(counts: list[int], names: list[str]) -> list[str]:
    """Each name as often as its count says, dealt evenly along the list."""
    dealt = [((k + 0.5) / n, name) for n, name in zip(counts, names, strict=True) for k in range(n)]
    return [name for _, name in sorted(dealt)]
