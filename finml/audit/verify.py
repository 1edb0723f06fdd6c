"""Whether an audit log is as it was written, and what it says of a request."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finml.audit.chain import Line, first_link, read_lines
from finml.audit.index import INDEX, Index, Known, is_held
from finml.errors import AuditError

# Entries about the file itself.
OWN_KINDS = frozenset({"opened", "sealed"})


@dataclass(frozen=True, slots=True)
class Problem:
    """The first place of a file where it is not as it was written.

    Attributes:
        file: its name.
        line: place in the file, from 1; 0 where the whole file is meant.
        message: what is wrong.
    """

    file: str
    line: int
    message: str


@dataclass(slots=True)
class Checked:
    """One file as it was found.

    Attributes:
        file: its name.
        lines: genuine lines from its beginning on.
        decisions: those of them that are decisions.
        head: `mac` of the last of them.
        state: `sealed`, `open` (its process lives), `abandoned` (its process died, and the index knows its
            end),
            `unsealed` (its process died, and what may be missing at its end cannot be proven yet).
        torn: whether a part of a line stands at its end, as a crash leaves it.
        problem: the first break.
    """

    file: str
    lines: int = 0
    decisions: int = 0
    head: str = ""
    state: str = "unsealed"
    torn: bool = False
    problem: Problem | None = None


@dataclass(slots=True)
class Report:
    """An audit log as it was found.

    Attributes:
        files: each file of decisions.
        problems: what was edited, removed, moved, added or lost.
        warnings: what a crash leaves, and what cannot be proven.
        decisions: decisions in all files.
        head: `mac` of the index's last entry. Kept elsewhere, it proves later that nothing before it is lost.
    """

    files: list[Checked] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    decisions: int = 0
    head: str = ""


def verify(folder: Path, secret: bytes, *, expected_head: str = "") -> Report:
    """Check every line of every file, and the files against the index.

    Args:
        folder: the folder of the log.
        secret: what it is chained with.
        expected_head: `head` of an earlier report, which must still be in the index.

    Raises:
        AuditError: there is no audit log.
    """
    # listed before the index is read: a file that is opened meanwhile is then in neither or in the index
    names = logged_files(folder)
    index = folder / INDEX
    if not names and not index.exists():
        raise AuditError(f"there is no audit log in {folder}", hint="it begins with the first decision")
    report = Report()
    known = Index(folder, secret).known()
    if index.exists():
        _check_index(index, secret, expected_head, report)
    else:
        report.problems.append(Problem(INDEX, 0, "is missing"))
    for name in sorted({*names, *known}):
        _check_file(folder / name, secret, known.get(name), report)
    report.decisions = sum(checked.decisions for checked in report.files)
    return report


def find(folder: Path, secret: bytes, request_id: str) -> list[dict[str, Any]]:
    """The decisions of a request, each with `file`, `line`, and whether it is `genuine`.

    Args:
        folder: the folder of the log.
        secret: what it is chained with.
        request_id: the request's own id, or its caller's, which may be that of several requests.
    """
    found = []
    needle = request_id.encode()
    for name in logged_files(folder):
        with (folder / name).open("rb") as file:
            numbered = [(number, raw) for number, raw in enumerate(file, start=1) if needle in raw]
        lines = read_lines(secret, iter([raw for _, raw in numbered]))
        for (number, _), line in zip(numbered, lines, strict=True):
            if request_id in (line.fields.get("request_id"), line.fields.get("correlation_id")):
                found.append({"file": name, "line": number, "genuine": line.genuine, **line.fields})
    return found


def logged_files(folder: Path) -> list[str]:
    """Names of the files of decisions, in order of their days."""
    return sorted(path.name for path in folder.glob("*.jsonl") if path.name != INDEX)


def _check_index(path: Path, secret: bytes, expected_head: str, report: Report) -> None:
    checked = Checked(INDEX)
    met = not expected_head
    with path.open("rb") as file:
        lines = list(read_lines(secret, iter(file)))
    # a crash can leave a part of an entry, and the next entry stands behind it
    parts = [line for line in lines if not line.fields]
    words = "is a part of an entry, as after a crash"
    report.warnings += [Problem(INDEX, line.number, words) for line in parts]
    for line in _follow((line for line in lines if line.fields), secret, checked):
        met = met or line.fields["mac"] == expected_head
    if checked.problem:
        report.problems.append(checked.problem)
    if not met:
        report.problems.append(Problem(INDEX, 0, f"does not hold {expected_head}: its end was lost"))
    report.head = checked.head


def _check_file(path: Path, secret: bytes, known: Known | None, report: Report) -> None:
    if not path.exists():
        report.problems.append(Problem(path.name, 0, "is missing"))
        return
    held = is_held(path)
    checked = Checked(path.name)
    sealed = False
    with path.open("rb") as file:
        for line in _follow(read_lines(secret, iter(file)), secret, checked):
            kind = line.fields.get("kind")
            checked.decisions += kind not in OWN_KINDS
            sealed = kind == "sealed"
    checked.state = "open" if held else "sealed" if sealed else "unsealed"
    if known and known.kind == "abandoned":
        checked.state = "abandoned"
    report.files.append(checked)
    checked.problem = checked.problem or _against_index(checked, known)
    if checked.problem:
        report.problems.append(checked.problem)
    elif checked.torn and not held:
        words = "ends within a line, as after a crash; nobody was answered by that decision"
        report.warnings.append(Problem(path.name, checked.lines + 1, words))
    if checked.state == "sealed" and known and known.kind != "sealed":
        words = "was sealed, but is not so in the index: its process died then, or the index lost its end"
        report.warnings.append(Problem(path.name, checked.lines, words))
    if checked.state == "unsealed" and not checked.problem:
        words = "was not sealed: its process died, so decisions of its last minute may be missing unseen"
        report.warnings.append(Problem(path.name, checked.lines, words))


def _against_index(checked: Checked, known: Known | None) -> Problem | None:
    """What the index contradicts."""
    if known is None:
        # a process that died right after it made the file leaves it with the line that opens it
        fresh = checked.lines <= 1 and not checked.decisions
        return None if fresh else Problem(checked.file, 0, "is not in the index")
    if checked.lines < known.lines:
        words = f"ends here, but had {known.lines} lines: {known.lines - checked.lines} were cut off"
        return Problem(checked.file, checked.lines, words)
    if known.kind in ("sealed", "abandoned") and checked.lines > known.lines:
        return Problem(checked.file, known.lines + 1, "was added after the end that the index knows")
    return None


def _follow(lines: Iterator[Line], secret: bytes, checked: Checked) -> Iterator[Line]:
    """The lines up to the first that does not follow the one before it; `checked` tells how far it went."""
    checked.head = first_link(secret, checked.file)
    for place, line in zip(itertools.count(), lines, strict=False):
        if not line.whole:
            checked.torn = True
            return
        if not line.genuine:
            words = "was edited" if place else "was edited, or the log was made with another secret"
        elif line.fields["prev"] != checked.head:
            words = _misplaced(line.fields["seq"], place)
        else:
            checked.lines, checked.head = place + 1, line.fields["mac"]
            yield line
            continue
        checked.problem = Problem(checked.file, line.number, words)
        return


def _misplaced(seq: int, place: int) -> str:
    if seq > place:
        return f"was line {seq + 1}: {seq - place} before it were removed, or it was moved"
    return f"was line {seq + 1} of this or another file: it was copied or moved here"
