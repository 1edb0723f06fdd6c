"""Festivals that people spend for, with their dates; those that follow the moon differ from year to year."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Festival:
    """A festival: its day of the month, how much it moves people to spend, and where it moves them most."""

    name: str
    day: int
    weight: float
    states: tuple[str, ...] = ()


def festivals_in(year: int, month: int) -> list[Festival]:
    """The festivals of a month."""
    return [
        Festival(name, day, weight, states)
        for name, (weight, states, dates) in _FESTIVALS.items()
        for number, day in [dates.get(year, dates[0])]
        if number == month
    ]


_NORTH = ("Uttar Pradesh", "Delhi", "Rajasthan", "Punjab", "Gujarat")

# Month and day by year; 0 is a typical date, for years that are not listed.
_FESTIVALS: dict[str, tuple[float, tuple[str, ...], dict[int, tuple[int, int]]]] = {
    "Holi": (
        0.35,
        _NORTH,
        {
            0: (3, 14), 2018: (3, 2), 2019: (3, 21), 2020: (3, 10), 2021: (3, 29), 2022: (3, 18),
            2023: (3, 8), 2024: (3, 25), 2025: (3, 14), 2026: (3, 4), 2027: (3, 22), 2028: (3, 11),
            2029: (3, 1), 2030: (3, 20),
        },
    ),
    "Eid": (
        0.3,
        (),
        {
            0: (4, 15), 2018: (6, 16), 2019: (6, 5), 2020: (5, 25), 2021: (5, 14), 2022: (5, 3),
            2023: (4, 22), 2024: (4, 11), 2025: (3, 31), 2026: (3, 21), 2027: (3, 10), 2028: (2, 27),
            2029: (2, 15), 2030: (2, 5),
        },
    ),
    "Onam": (
        0.15,
        ("Kerala",),
        {
            0: (9, 5), 2018: (8, 25), 2019: (9, 11), 2020: (8, 31), 2021: (8, 21), 2022: (9, 8),
            2023: (8, 29), 2024: (9, 15), 2025: (9, 5), 2026: (8, 26), 2027: (9, 12), 2028: (9, 1),
            2029: (8, 22), 2030: (9, 9),
        },
    ),
    "Durga Puja": (
        0.25,
        ("West Bengal",),
        {
            0: (10, 10), 2018: (10, 17), 2019: (10, 6), 2020: (10, 24), 2021: (10, 13), 2022: (10, 3),
            2023: (10, 22), 2024: (10, 11), 2025: (9, 30), 2026: (10, 18), 2027: (10, 8), 2028: (9, 27),
            2029: (10, 15), 2030: (10, 5),
        },
    ),
    "Diwali": (
        0.8,
        _NORTH,
        {
            0: (11, 1), 2018: (11, 7), 2019: (10, 27), 2020: (11, 14), 2021: (11, 4), 2022: (10, 24),
            2023: (11, 12), 2024: (10, 31), 2025: (10, 20), 2026: (11, 8), 2027: (10, 29), 2028: (10, 17),
            2029: (11, 5), 2030: (10, 26),
        },
    ),
    "Christmas": (0.35, ("Kerala",), {0: (12, 25)}),
}  # fmt: skip
