"""What a module of templates holds: for each intent, one template a line, by language."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """Templates of one intent; see `grammar`."""

    en: str
    hinglish: str
    hi: str

    def lines(self, language: str) -> list[str]:
        """The templates of a language."""
        text: str = getattr(self, language)
        return [line.strip() for line in text.strip().splitlines()]
