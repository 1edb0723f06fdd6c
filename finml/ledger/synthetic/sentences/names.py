"""Names and numbers that sentences mention: merchants, people, accounts, cards, categories, identifiers.

All are made up. Identifiers have the shape of real ones, and card numbers their check digit.
"""

from finml.ledger.synthetic.catalog import MERCHANT_NAMES
from finml.ledger.synthetic.sentences.chance import Chance

_NO_SHOPS = {
    "House rent",
    "Client transfer",
    "Dukaan QR settlement",
    "Rasta Rides payout",
    "Turant Delivery payout",
    "Metro Card",
    "State Electricity Board",
}
SHOPS = tuple(name for name in MERCHANT_NAMES if name not in _NO_SHOPS)

_FIRST_NAMES = (
    "Rahul", "Priya", "Amit", "Neha", "Suresh", "Anjali", "Vikram", "Pooja", "Arjun", "Kavya", "Rohit",
    "Sneha",
    "Imran", "Fatima", "Gurpreet", "Harleen", "Lakshmi", "Karthik", "Meera", "Sanjay", "Divya", "Manish",
    "Ritu",
    "Deepak", "Nisha", "Aditya", "Shalini", "Farhan", "Ayesha", "Joseph", "Mary", "Venkat", "Radhika",
    "Prakash",
    "Sunita", "Ganesh", "Tanvi", "Nikhil", "Swati", "Yusuf", "Bhavna", "Mohit", "Rekha", "Ashok", "Ishita",
    "Varun", "Komal", "Naveen", "Zoya", "Tejas",
)  # fmt: skip
_LAST_NAMES = (
    "Sharma", "Patel", "Iyer", "Khan", "Singh", "Reddy", "Nair", "Gupta", "Das", "Mehta", "Joshi", "Kaur",
    "Menon", "Rao", "Verma", "D'Souza", "Banerjee", "Kulkarni", "Yadav", "Thomas", "Chauhan", "Pillai",
)  # fmt: skip
_PEOPLE_HI = ("राहुल", "प्रिया", "अमित", "नेहा", "सुरेश", "पूजा", "रोहित", "सुनीता", "इमरान", "मीरा", "दीपक", "रेखा")

_SPENDING = {
    "en": (
        "groceries", "food", "dining", "dining out", "eating out", "restaurants", "transport", "fuel",
        "petrol",
        "cabs", "shopping", "clothes", "online shopping", "rent", "utilities", "electricity", "entertainment",
        "movies", "subscriptions", "health", "medicines", "education", "school fees", "insurance", "travel",
        "household stuff", "gifts", "pets", "salon",
    ),
    "hinglish": (
        "kirana", "khane", "khana", "bahar khane", "petrol", "shopping", "kapde", "kapdon", "rent", "kiraya",
        "bijli", "dawai", "dawaiyon", "groceries", "food", "movies", "school fees", "sabzi", "doodh",
        "travel", "entertainment", "ghar kharch",
    ),
    "hi": ("किराना", "खाने", "पेट्रोल", "कपड़ों", "किराए", "बिजली", "दवाइयों", "शॉपिंग", "स्कूल फीस",
    "यात्रा"),
}  # fmt: skip
_BILLS = {
    "en": (
        "electricity", "water", "gas", "broadband", "internet", "mobile", "phone", "DTH", "insurance", "rent",
        "school fees", "landline", "piped gas", "maintenance", "property tax",
    ),
    "hinglish": (
        "bijli", "paani", "gas", "broadband", "wifi", "mobile", "phone", "DTH", "insurance", "kiraya",
        "school fees", "electricity",
    ),
    "hi": ("बिजली", "पानी", "गैस", "मोबाइल", "बीमा", "किराए", "इंटरनेट"),
}  # fmt: skip
_ACCOUNTS = {
    "en": (
        "savings account", "salary account", "current account", "joint account", "savings a/c",
        "account ending {}", "account ending in {}", "a/c ending {}", "a/c XX{}", "account xx{}", "acct {}",
        "account no {}", "primary account",
    ),
    "hinglish": (
        "savings account", "salary account", "savings khata", "current account", "bachat khata",
        "account ending {}",
        "a/c XX{}", "khata {}", "khata number {}", "joint account",
    ),
    "hi": ("बचत खाते", "सैलरी खाते", "चालू खाते", "खाता {}", "खाता संख्या {}"),
}  # fmt: skip
_CARDS = {
    "en": (
        "credit card", "debit card", "card ending {}", "card ending in {}", "card ending with {}",
        "credit card {}",
        "debit card ending {}", "credit card ending {}", "card XX{}", "RuPay card", "visa card",
        "card no. {}",
        "mastercard ending {}", "virtual card", "platinum card",
    ),
    "hinglish": (
        "credit card", "debit card", "card ending {}", "card number {}", "debit card {}", "ATM card",
        "card xx{}",
        "RuPay card", "credit card ending {}",
    ),
    "hi": ("क्रेडिट कार्ड", "डेबिट कार्ड", "कार्ड {}", "एटीएम कार्ड"),
}  # fmt: skip
_HANDLES = ("upi", "ybl", "okaxis", "oksbi", "okicici", "paytm", "ibl", "axl", "apl", "okhdfcbank")
_BANKS = ("HDFC", "SBIN", "ICIC", "UTIB", "KKBK", "PUNB", "BARB", "CNRB", "YESB", "IDIB", "UBIN", "FDRL")
_PERCENT = {
    "en": ("{}%", "{}%", "{} %", "{} percent", "{} per cent"),
    "hinglish": ("{}%", "{}%", "{} percent", "{} pratishat"),
    "hi": ("{}%", "{} प्रतिशत"),
}

_CITIES = {
    "en": (
        "Mumbai", "Delhi", "Pune", "Chennai", "Kolkata", "Jaipur", "Kochi", "Indore", "Lucknow", "Noida",
        "Goa",
        "Surat", "Patna", "Mysore", "Shimla", "Bhopal", "Nagpur", "Guwahati",
    ),
    "hinglish": (
        "Mumbai", "Dilli", "Pune", "Chennai", "Kolkata", "Jaipur", "Indore", "Lucknow", "Patna", "Goa",
        "Bhopal",
    ),
    "hi": ("मुंबई", "दिल्ली", "पुणे", "जयपुर", "पटना", "भोपाल", "लखनऊ", "इंदौर"),
}  # fmt: skip
_DISHES = {
    "en": (
        "butter chicken", "dosa", "chocolate cake", "rajma", "filter coffee", "paneer tikka", "pasta", "upma",
        "fish curry", "banana bread", "idli", "samosas", "mango pickle", "kheer",
    ),
    "hinglish": (
        "khichdi", "gulab jamun", "paneer", "rajma", "aloo paratha", "kheer", "poha", "chole", "jalebi",
        "dal tadka",
    ),
    "hi": ("खिचड़ी", "खीर", "पोहा", "राजमा", "जलेबी", "इडली", "गुलाब जामुन"),
}  # fmt: skip
_IDEAS = {
    "en": (
        "inflation", "gdp", "fiscal deficit", "repo rate", "demonetisation", "blockchain",
        "compound interest",
        "a recession", "quantitative easing", "the stock market", "a bull market", "photosynthesis",
        "gravity",
    ),
    "hinglish": ("mehngai", "gdp", "share bazaar", "mandi", "arthvyavastha", "repo rate", "bitcoin",
    "chandra grahan"),
    "hi": ("महँगाई", "जीडीपी", "शेयर बाज़ार", "मंदी", "गुरुत्वाकर्षण"),
}  # fmt: skip
_THEMES = (
    "cats", "engineers", "bankers", "the sea", "holi", "my dog", "climate change", "cricket", "monsoon",
    "trains",
    "teachers", "space", "elephants", "exams", "mangoes",
)  # fmt: skip


def merchant(chance: Chance, language: str) -> str:
    """A merchant of the catalogue, now and then in one word or misspelt."""
    name = chance.of(SHOPS)
    if chance.happens(0.06):
        return name.replace(" ", "")
    if chance.happens(0.06):
        at = chance.between(1, len(name) - 3)
        return name[:at] + name[at + 1 :]
    return name


def person(chance: Chance, language: str) -> str:
    """A first name, now and then with a last name."""
    if language == "hi":
        return chance.of(_PEOPLE_HI)
    first = chance.of(_FIRST_NAMES)
    return f"{first} {chance.of(_LAST_NAMES)}" if chance.happens(0.35) else first


def category(chance: Chance, language: str) -> str:
    """What money is spent on."""
    return chance.of(_SPENDING[language])


def bill(chance: Chance, language: str) -> str:
    """What a bill is for."""
    return chance.of(_BILLS[language])


def account(chance: Chance, language: str) -> str:
    """An account by its kind or number."""
    number = chance.digits(12) if chance.happens(0.15) else chance.digits(4)
    return chance.of(_ACCOUNTS[language]).format(number)


def card(chance: Chance, language: str) -> str:
    """A card by its kind, its last four digits or, rarely, its number."""
    if chance.happens(0.05):
        return card_number(chance)
    return chance.of(_CARDS[language]).format(chance.digits(4))


def card_number(chance: Chance) -> str:
    """Sixteen digits that end with the check digit of Luhn's rule."""
    digits = chance.of(("4", "5", "6")) + chance.digits(14)
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    check = -sum(value - 9 * (value > 9) for value in doubled) % 10
    number = f"{digits}{check}"
    apart = chance.of(("", " ", " ", "-"))
    return apart.join(number[place : place + 4] for place in range(0, 16, 4))


def percent(chance: Chance, language: str) -> str:
    """A rate or share."""
    value = chance.of((5, 6.5, 7, 7.25, 7.5, 8, 8.5, 9, 10, 10.5, 12, 14, 15, 18, 20, 25, 30, 40, 50))
    return chance.of(_PERCENT[language]).format(value)


def upi_id(chance: Chance, language: str) -> str:
    """A UPI id: somebody's name or mobile number at a handle."""
    first, last = chance.of(_FIRST_NAMES).lower(), chance.of(_LAST_NAMES).lower().replace("'", "")
    name = chance.of((first + chance.digits(2), f"{first}.{last}", f"{first}{last}", "9" + chance.digits(9)))
    return f"{name}@{chance.of(_HANDLES)}"


def ifsc(chance: Chance, language: str) -> str:
    """The code of a bank's branch."""
    return f"{chance.of(_BANKS)}0{chance.between(0, 999_999):06d}"


def pan(chance: Chance, language: str) -> str:
    """A tax number of a person, which has P as its fourth letter."""
    return f"{chance.letters(3)}P{chance.letters(1)}{chance.between(0, 9999):04d}{chance.letters(1)}"


def city(chance: Chance, language: str) -> str:
    """A city, which is no name that a message is searched for."""
    return chance.of(_CITIES[language])


def dish(chance: Chance, language: str) -> str:
    """Something to cook."""
    return chance.of(_DISHES[language])


def idea(chance: Chance, language: str) -> str:
    """Something to have explained."""
    return chance.of(_IDEAS[language])


def theme(chance: Chance, language: str) -> str:
    """Something to joke or write about."""
    return chance.of(_THEMES)
