"""The few statistics that evidence rests on, each less what chance alone would make of samples of that size."""

from math import log, pi, sqrt

Counts = dict[str, float]
SURELY_SOME = 12.0  # rows expected: that none comes has a chance of one in 160,000


def lowest_share(part: float, whole: float, z: float = 3.0) -> float:
    """The lower end of what a share can be (Wilson), so that few rows never cry wolf."""
    if whole <= 0:
        return 0.0
    share, weight = part / whole, z * z / whole
    middle = (share + weight / 2) / (1 + weight)
    return max(0.0, middle - z * sqrt(share * (1 - share) / whole + weight / (4 * whole)) / (1 + weight))


def highest_share(part: float, whole: float, z: float = 3.0) -> float:
    """The upper end of what a share can be (Wilson)."""
    return 1 - lowest_share(whole - part, whole, z) if whole > 0 else 1.0


def difference_of_shares(a: float, na: float, b: float, nb: float, both: bool = False, z: float = 3.0) -> float:
    """By how much a share rose (or, `both`, changed), less the chance of it."""
    if na <= 0 or nb <= 0:
        return 0.0
    pooled = (a + b + 1) / (na + nb + 2)
    change = a / na - b / nb
    return max(0.0, (abs(change) if both else change) - z * sqrt(pooled * (1 - pooled) * (1 / na + 1 / nb)))


def distance(a: Counts, b: Counts, noisy: bool = True) -> float | None:
    """Total variation between two distributions, 0 to 1: the share that stands elsewhere; None where one is empty."""
    na, nb = sum(a.values()), sum(b.values())
    if na <= 0 or nb <= 0:
        return None
    keys = a.keys() | b.keys()
    half_sum = sum(abs(a.get(key, 0) / na - b.get(key, 0) / nb) for key in keys) / 2
    if not noisy:
        return half_sum
    pooled = [(a.get(key, 0) + b.get(key, 0)) / (na + nb) for key in keys]
    spread = sqrt(1 / na + 1 / nb)
    expected = sum(sqrt(2 / pi) * sqrt(p * (1 - p)) * spread for p in pooled) / 2
    return max(0.0, half_sum - expected - 1.5 * spread)


def largest_shift(a: Counts, b: Counts, z: float = 4.5) -> float:
    """The largest change of a value's share, as a logarithm, among changes that chance does not make."""
    na, nb, most = sum(a.values()), sum(b.values()), 0.0
    if na <= 0 or nb <= 0:
        return 0.0
    for key in a.keys() | b.keys():
        x, y = a.get(key, 0), b.get(key, 0)
        ex, ey = (x + y) * na / (na + nb), (x + y) * nb / (na + nb)
        deviance = 2 * sum(n * log(n / e) for n, e in ((x, ex), (y, ey)) if n > 0)
        if deviance > z * z:
            most = max(most, abs(log((x + 0.5) / na) - log((y + 0.5) / nb)))
    return most


def heaping(ages: dict[int, float]) -> tuple[float | None, float]:
    """Whipple's index over 23 to 62 (1: none, 5: all end in 0 or 5), and its chance; None for fewer than 100."""
    within = sum(n for age, n in ages.items() if 23 <= age <= 62)
    if within < 100:
        return None, 0.0
    ended = sum(n for age, n in ages.items() if 23 <= age <= 62 and age % 5 == 0)
    return 5 * ended / within, 5 * 3 * sqrt(0.16 / within)


def digit_preference(ages: dict[int, float]) -> float | None:
    """How many times more often ages of 20 to 69 end in the digit most liked than in its neighbours, less the chance of
    it; None for fewer than 100. Whipple's index sees 0 and 5 alone; and Myers' needs a population of all ages."""
    if sum(n for age, n in ages.items() if 20 <= age <= 69) < 100:
        return None
    most = 0.0
    for digit in range(10):
        liked = sum(ages.get(age, 0) for age in range(20 + digit, 70, 10))
        beside = sum(ages.get(age - 1, 0) + ages.get(age + 1, 0) for age in range(20 + digit, 70, 10)) / 2
        if liked > 9:
            most = max(most, (liked - 3 * sqrt(liked)) / (beside + 3 * sqrt(beside / 2) + 1))
    return most


def mean_difference(a: dict[int, float], b: dict[int, float]) -> float:
    """Years by which two mean ages differ, less the chance of it."""
    means, errors = [], 0.0
    for ages in (a, b):
        n = sum(ages.values())
        mean = sum(age * k for age, k in ages.items()) / n
        errors += sum(k * (age - mean) ** 2 for age, k in ages.items()) / n / n
        means.append(mean)
    return max(0.0, abs(means[0] - means[1]) - 3 * sqrt(errors))
