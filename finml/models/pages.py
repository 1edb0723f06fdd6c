"""The Jinja templates of reports and cards, set up alike for every model."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2

DASH = "\N{EN DASH}"


@lru_cache
def templates(folder: Path) -> "jinja2.Environment":
    """The templates in a model's folder, with the filters `percent` and `figure`; pages are escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.jinja",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "figure": figure}
    return environment


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent; a dash where there is none."""
    return DASH if value is None else f"{100 * value:.{digits}f} %"


def figure(value: float | None, digits: int = 3) -> str:
    """A figure; a dash where there is none."""
    return DASH if value is None else f"{value:.{digits}f}"
