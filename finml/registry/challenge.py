"""Who challenges the champion: the version that is released beside it, to be compared on real traffic."""

from finml.registry.desk import Change, at_desk
from finml.registry.versions import find, parse_spec
from finml.settings import Settings


def challenge(settings: Settings, spec: str, *, who: str, why: str = "") -> Change:
    """Make an approved version the challenger, in place of the one before.

    It stays one until it is promoted, rejected or withdrawn.

    Raises:
        NotApprovedError: the gate or a person did not approve it.
        IntegrityError: its verdict is not the one that its evaluation and gate give.
        RegistryError: there is no such version, it is champion, or there is no champion.
    """
    name, selector = parse_spec(spec)
    with at_desk(settings, name, who, why) as desk:
        version = find(desk.client, name, selector)
        if desk.aliases.get("challenger") == version.version:
            return desk.change(f"{version.spec} is challenger already")
        desk.challenge(version)
        champion = desk.aliases["champion"]
        return desk.change(f"{version.spec} challenges {name}@{champion} from the next release")


def withdraw(settings: Settings, name: str, *, who: str, why: str = "") -> Change:
    """Let a model have no challenger.

    Raises:
        RegistryError: no such model is registered.
    """
    with at_desk(settings, name, who, why) as desk:
        challenger = desk.aliases.get("challenger")
        if challenger is None:
            return desk.change(f"{name} has no challenger")
        desk.withdraw()
        return desk.change(f"{name}@{challenger} is no challenger any more")
