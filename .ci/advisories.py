"""Ask for known vulnerabilities of everything in the locks, and tell an answer from none.

pip-audit ends well where it could not ask about a package. Here that is a failure of its own: a build that
nobody looked at must not pass for one without advisories.

Exit codes: 0 no advisory that was not read; 1 there are some; 2 the list of those that were read cannot be
used; 3 the advisory service could not be asked.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "bentos/requirements.lock")
READ_AGAIN_AFTER = timedelta(days=180)


class IgnoreListError(Exception):
    """An entry of the list lacks its reason, or was read too long ago."""


@dataclass(slots=True)
class Answer:
    """What the service said: advisories, those of them that are ignored, and packages without an answer."""

    found: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    asked: int = 0
    trouble: str = ""


def ignored_ids(text: str, today: date) -> dict[str, str]:
    """Package by id of the advisory, from the text of the list.

    Raises:
        IgnoreListError: an entry is incomplete, or due to be read again.
    """
    entries = {}
    for entry in tomllib.loads(text).get("ignored", []):
        missing = {"id", "package", "reason", "date"} - {name for name, value in entry.items() if value}
        if missing:
            raise IgnoreListError(f"{entry.get('id', entry)}: lacks {', '.join(sorted(missing))}")
        if today - entry["date"] > READ_AGAIN_AFTER:
            raise IgnoreListError(
                f"{entry['id']}: was read on {entry['date']}; read it again, or take it out"
            )
        entries[entry["id"]] = entry["package"]
    return entries


def understand(output: str, errors: str, ignored: Mapping[str, str]) -> Answer:
    """What pip-audit's JSON says; output that is none means that nothing could be asked."""
    answer = Answer()
    try:
        dependencies: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = errors.strip().splitlines()
        answer.trouble = lines[-1] if lines else "no answer"
        return answer
    for package in dependencies:
        if "skip_reason" in package:
            answer.unasked.append(package["name"])
            continue
        answer.asked += 1
        for advisory in package["vulns"]:
            names = {advisory["id"], *advisory.get("aliases", [])}
            known = any(ignored.get(name) == package["name"] for name in names)
            fixes = ", ".join(advisory.get("fix_versions", [])) or "no version"
            line = f"{package['name']} {package['version']}: {advisory['id']}, fixed in {fixes}"
            (answer.ignored if known else answer.found).append(line)
    return answer


def verdict(answer: Answer, *, allow_unreachable: bool) -> tuple[int, list[str]]:
    """Exit code, and what to say."""
    lines = [f"advisory: {line}" for line in answer.found]
    lines += [f"read and ignored: {line}" for line in answer.ignored]
    if answer.trouble or answer.unasked:
        whole = answer.asked + len(answer.unasked)
        about = "anything" if not whole else f"{len(answer.unasked)} of {whole} packages"
        lines.append(f"COULD NOT ASK about {about}: {answer.trouble or 'the service did not know them'}")
        lines.append("nothing is known about their advisories; run `make audit` where pypi.org answers")
    if answer.found:
        return 1, lines
    if answer.trouble or answer.unasked:
        return (0 if allow_unreachable else 3), lines
    return 0, [*lines, f"no advisory for any of {answer.asked} packages"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, and print what was said."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--allow-unreachable", action="store_true", help="say so, and end with 0")
    options = parser.parse_args(arguments)
    try:
        ignored = ignored_ids((ROOT / ".ci" / "advisories.toml").read_text(), date.today())
    except (IgnoreListError, tomllib.TOMLDecodeError) as error:
        sys.stderr.write(f".ci/advisories.toml: {error}\n")
        return 2
    code = 0
    for lock in LOCKS:
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / lock)]
        command += ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words, no shell
        answer = understand(done.stdout, done.stderr, ignored)
        found, lines = verdict(answer, allow_unreachable=options.allow_unreachable)
        code = max(code, found, key=(0, 3, 2, 1).index)
        for line in lines:
            sys.stderr.write(f"{lock}: {line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
