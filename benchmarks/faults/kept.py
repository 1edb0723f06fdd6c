"""What the logs of a service keep of the answers that it gave."""

from finml.settings import Settings


def lost(settings: Settings, caller: str, answered: int, *, decided: bool) -> str:
    """What the two logs lack of what a caller was answered, and whether the audit log is whole.

    Args:
        settings: of the service.
        caller: id of its key.
        answered: how many inputs it was answered.
        decided: whether the answers were decisions about people.
    """
    kept = {"rows of the inference log": predictions(settings, caller)}
    if decided:
        kept["decisions"] = decisions(settings, caller)
    words = [
        f"{answered - count:,} of {answered:,} {what}" for what, count in kept.items() if count < answered
    ]
    problems = audit_problems(settings)
    return ", ".join(words or ["nothing"]) + (f"; {problems} problems in the audit log" if problems else "")


def predictions(settings: Settings, caller: str) -> int:
    """Answers to a caller that are in the inference log, without those that nobody got."""
    from finml.monitoring.reading import read

    found = read(settings, columns=["caller", "shadow", "error"])
    return int(((found["caller"] == caller) & ~found["shadow"] & (found["error"] == "")).sum())


def decisions(settings: Settings, caller: str) -> int:
    """Answers to a caller that are in the audit log."""
    from finml.audit import audit_folder

    return sum(
        f'"{caller}"' in line
        for file in audit_folder(settings).glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    )


def audit_problems(settings: Settings) -> int:
    """Problems that a check of the audit log finds."""
    from finml.audit import audit_folder, audit_secret, verify

    return len(verify(audit_folder(settings), audit_secret(settings)).problems)
