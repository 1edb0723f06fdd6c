"""Addresses and secrets: e-mail, UPI, passwords, keys, tokens, one-time codes."""

import re

# Aliases of model versions: `credit_risk@champion` is no address.
ALIASES = r"champion|candidate|challenger|previous|latest"
# Letters and the signs that stand on letters in the scripts of India, which `\w` leaves out.
LETTERS = r"\w\u0900-\u0dff"
ADDRESS = re.compile(
    rf"""
    (?P<email>[{LETTERS}.%+'-]{{1,64}}@(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.)+[^\W\d_]{{2,}})
  | (?P<upi>
        (?<![{LETTERS}.-])(?!\d{{1,6}}@)[{LETTERS}.-]{{1,256}}@(?!(?:{ALIASES})\b|sha\d+:)[A-Za-z][A-Za-z\d]+(?![\w@])
    )
    """,
    re.VERBOSE,
)
AT, DOT = r"(?:\(at\)|\[at\]|\bat\b)", r"(?:\(dot\)|\[dot\]|\bdot\b)"
DOMAINS = r"(?:com?|in|org|net|edu|gov|io|me|info|uk|us)"
SPELLED = re.compile(
    rf"(?i)(?<![\w.+-])[\w.+-]{{1,64}}(?:\s+dot\s+[\w.+-]+){{0,4}}\s*{AT}\s*[\w-]+(?:\s*{DOT}\s*{DOMAINS})+\b"
)

# Looking for words is many times cheaper than the expression, and most texts have none of them.
WORDS_OF_SECRETS = (
    *(
        "://",
        "finml_",
        "eyj",
        "bearer",
        "authorization",
        "passw",
        "passcode",
        "pwd",
        "token",
        "secret",
        "api",
    ),
    *("otp", "pin", "cvv", "cvc"),
)
SECRETS = re.compile(
    r"""
    (?<=://)[^\s@/:]{0,256}:[^\s@]{1,256}(?=@)  # user and password in a URL
  | (?<!\w)finml_[A-Za-z\d]+_[\w-]{8,}  # API keys
  | (?<![\w-])eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*){0,3}  # JSON Web Tokens
  | (?P<lead>
        \b(?i:bearer)\s+(?=[\w.~+/-]*[\d._~+/=-])
      | \b(?i:authorization)["']?\s*[:=]\s*["']?(?i:bearer\s+|basic\s+)?
      | (?i:passwor[dt]|passwd|passcode|pwd|token|secret|api[_-]?key)["']?\s*[:=]\s*["']?
      | \b(?i:password|passcode|pwd)\s+(?i:is|hai)\s+(?=\S*[\d@\#$!])
      | \b(?i:otp|mpin|pin(?!\W*code)|cvv|cvc)\b[\W_]{0,3}
        (?:(?i:code|number|no|is|hai|was)\b[\W_]{0,3})*(?=\d{3,8}\b)
    )
    (?P<value>[^\s&"',;]+)
    """,
    re.VERBOSE,
)


def mask_addresses(text: str) -> str:
    """`text` with e-mail addresses and UPI ids replaced by `<email>` and `<upi>`."""
    if "@" in text:
        text = ADDRESS.sub(lambda match: f"<{match.lastgroup}>", text)
    if "dot" in text.lower():
        text = SPELLED.sub("<email>", text)
    return text


def mask_secrets(text: str) -> str:
    """`text` with passwords, keys, tokens and one-time codes replaced by `<secret>`."""
    lower = text.lower()
    if any(word in lower for word in WORDS_OF_SECRETS):
        text = SECRETS.sub(lambda match: f"{match['lead'] or ''}<secret>", text)
    return text
