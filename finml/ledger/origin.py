"""The mark that finml leaves in a ledger it wrote, so that it never replaces one that it did not."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from uuid import uuid4

from finml.errors import SourceError

MARKER_TABLE = "finml_origin"
MARKER_FILE = "_finml_origin.json"
CREATE_MARKER = "CREATE TABLE finml_origin (mark TEXT)"
READ_MARKER = "SELECT mark FROM finml_origin"
WRITE_MARKER = "INSERT INTO finml_origin VALUES (?)"


@dataclass(frozen=True)
class Origin:
    """Where a ledger that finml wrote came from.

    Attributes:
        origin: what wrote it, such as `synthetic` or `taiwan`.
        generation: differs for each time the ledger was written, so that a reader notices a replacement.
    """

    origin: str
    generation: str

    @classmethod
    def new(cls, origin: str) -> "Origin":
        """The mark of a ledger that is about to be written."""
        return cls(origin, uuid4().hex)

    def to_json(self) -> str:
        """The mark as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Origin | None":
        """The mark that `to_json` wrote, or `None` if `text` is something else."""
        try:
            values = json.loads(text)
            return cls(str(values["origin"]), str(values["generation"]))
        except (ValueError, KeyError, TypeError):
            return None


def check_replaceable(
    place: str, names: Collection[str], origin: Origin | None, *, own: Collection[str], replace: bool
) -> None:
    """Refuse to write over anything but a ledger that finml wrote and that the caller wants replaced.

    Args:
        place: the ledger's public URL.
        names: names of the tables or files that are there now, without the mark.
        origin: the mark that was found.
        own: names of the tables or files that finml writes.
        replace: whether the caller wants an earlier ledger of finml's replaced.

    Raises:
        SourceError: something is there that must stay.
    """
    if origin is None and names:
        raise SourceError(
            f"{place} is not empty and was not written by finml ({_some(names)})",
            hint="name another ledger with --ledger or FINML_LEDGER_URL; a bank's own data is never replaced",
        )
    if foreign := set(names) - set(own):
        raise SourceError(
            f"{place} also holds what finml did not write ({_some(foreign)})",
            hint="move it away; the ledger is replaced as a whole",
        )
    if origin is not None and not replace:
        raise SourceError(
            f"{place} already holds a ledger (origin: {origin.origin})",
            hint="ask for it to be replaced, or name another ledger",
        )


def _some(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:5]) + (", …" if len(names) > 5 else "")
