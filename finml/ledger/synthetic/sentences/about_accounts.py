"""How users ask about accounts and what has moved on them."""

from finml.ledger.synthetic.sentences.phrases import Phrases

PHRASES = {
    "balance": Phrases(
        en="""
        (what is|what's|whats|tell me|show|show me) (my|the) [current|available|total] balance [in [my] \
            {ACCOUNT}] [as of {PAST}]
        how much (money|cash) (do i have|is left|have i got) [in [my] {ACCOUNT}] [right now|at the moment]
        (check|see|get) [my] [account] balance [of|for] [my {ACCOUNT}] [please]
        (can i|do i have enough to) (afford|cover|spend) {MONEY} [from [my] {ACCOUNT}] [{COMING}]
        balance [enquiry|check|inquiry] [for [my] {ACCOUNT}]
        (is there|do i have) (at least|more than|over) {MONEY} in my {ACCOUNT}
        what was (my|the) [closing] balance [of {ACCOUNT}] (on|at the end of|in) {PAST}
        how much am i left with after [paying] [my] {BILL}
        funds available in [my] {ACCOUNT} [now]
        """,
        hinglish="""
        [mere|mera] {ACCOUNT} (me|mein) kitna (paisa|balance|paise) (hai|bacha hai|pada hai)
        (mera|apna) [account|khate ka] balance (batao|bata do|dikhao|check karo|check karna hai)
        kitne paise bache hain [{ACCOUNT} (me|mein)]
        balance kitna hai [abhi|mere account me]
        (kya|) mere account me {MONEY} (hai|hain|honge) [kya]
        {PAST} (tak|ko) balance kitna tha
        khate me kitna (rakha|pada) hai [bhai]
        """,
        hi="""
        मेरे (खाते|{ACCOUNT}) में कितना (बैलेंस|पैसा) है
        मेरा बैलेंस (बताओ|दिखाइए|कितना है)
        (क्या|) मेरे {ACCOUNT} में {MONEY} हैं
        {PAST} मेरा बैलेंस कितना था
        """,
    ),
    "transactions_search": Phrases(
        en="""
        (show|list|find|pull up|get) [me] [all] [my] (transactions|payments|debits) [of] \
            [over|above|below|more than] {MONEY} [from|in] {PAST}
        (show|list|display) [me] [my] [recent|last few|latest] transactions [on [my] {ACCOUNT}] [from {PAST}]
        (find|search|look up) the {MONEY} (payment|transaction|debit) (to|from|at) {MERCHANT} [in|from] {PAST}
        what was (that|the) {MONEY} (debit|charge|deduction) [on|from] {PAST} [for]
        did {PERSON} (send|transfer|pay) me [any money|{MONEY}] [{PAST}]
        (which|what) transactions (happened|went through|were made) (on|in) {PAST}
        transaction history (for|of|from) (my {ACCOUNT}|{PAST}|my {CARD})
        (when did i|when was it that i) (last pay|pay) ({PERSON}|{MERCHANT}) [{MONEY}]
        (show|filter) (only|) (upi|card|cash|neft) transactions [{PAST}]
        any (debit|credit) of {MONEY} (on|in) my {ACCOUNT} [{PAST}]
        """,
        hinglish="""
        {PAST} (ke|ki) (saare|sabhi|) (transactions|transaction|len den) (dikhao|dikha do|batao)
        {MONEY} (ka|wala) (transaction|payment) (dhundo|dhoondo|kab hua|kisko gaya)
        {PERSON} ko (kab|kitne baar) (paise|payment) (bheje|diye|kiya) the
        (mere|) {ACCOUNT} (ki|ka) transaction history (dikhao|chahiye)
        {PAST} {MONEY} (kat gaye|kata|debit hua) wo kiska tha
        {MONEY} se (zyada|upar) ke (transaction|payment) (dikhao|batao) [{PAST} ke]
        aakhri (5|10|paanch) transaction (dikhao|batao)
        """,
        hi="""
        {PAST} के (सभी|सारे) लेनदेन (दिखाओ|दिखाइए|बताओ)
        {MONEY} का लेनदेन (खोजो|कब हुआ|किसको गया)
        {PERSON} को पैसे कब (भेजे|दिए) थे
        """,
    ),
    "salary_credit": Phrases(
        en="""
        (has|did) my (salary|pay|paycheck|wages) (been credited|come in|arrive|get credited|land) [for \
            {PAST}|yet|in [my] {ACCOUNT}]
        (when will|when is|when does) my (salary|pay) (come|due|be credited|hit my account|get credited) \
            [this time]
        is (the|my) salary [of {MONEY}] [from {MERCHANT}] (in|credited|received) [yet]
        how much salary (did i get|was credited|came in) [in|for] {PAST}
        (salary|payroll) (not|still not) (credited|received|come) [for {PAST}] [yet]
        (show|list) [me] [all] [my] salary (credits|deposits) [from|of] {PAST}
        my salary (is late|got delayed|is short by {MONEY}|was less) [{PAST}]
        did (my employer|the company|{MERCHANT}) (pay me|deposit my salary) [{PAST}]
        """,
        hinglish="""
        (meri|) salary (aayi|aa gayi|aagayi|credit hui|mili) (kya|ya nahi)
        (meri|) salary kab (aayegi|aati hai|credit hogi) [is baar]
        {PAST} (ki|wali) salary (kitni aayi|nahi aayi|aayi kya|abhi tak nahi aayi)
        tankhwah (aayi|aa gayi|mili) kya [{ACCOUNT} me]
        salary me {MONEY} kam (aaye|aaya) [hai] [{PAST}]
        {MERCHANT} se salary (aayi|credit hui) kya
        """,
        hi="""
        (मेरी|) (सैलरी|तनख्वाह) (आई|आ गई|जमा हुई) क्या
        {PAST} की सैलरी (कब आएगी|नहीं आई|कितनी आई)
        मेरी तनख्वाह कब (आएगी|जमा होगी)
        """,
    ),
    "statement_download": Phrases(
        en="""
        (download|send|email|mail|export|share|get) [me] [my] [account|bank] statement [for|of] [my \
            {ACCOUNT}] [for|from] {PAST}
        i (need|want|require) (a|my|the) [bank|account] statement [for|of|from] {PAST} [as pdf|in excel|for \
            my visa]
        (can you|could you|please) (email|send|generate) (the|my) {CARD} statement [for {PAST}]
        where (can i|do i) (download|find|get) my [account|monthly] statement
        (statement|passbook) (pdf|in pdf|as excel|copy) (of|for) {ACCOUNT} [{PAST}]
        (give me|need) an interest certificate (for|of) {PAST}
        how (to|do i) (get|export) (a|my) statement (from|for) {PAST}
        (e-statement|e statement|estatement) (of|for) {PAST}
        """,
        hinglish="""
        {PAST} (ka|ki) statement (bhejo|bhej do|download karna hai|chahiye|mail karo)
        (mujhe|) [mere] {ACCOUNT} ka statement (chahiye|bhej do|nikalna hai) [pdf me]
        (bank|account) statement kaise (nikalu|download kare|milega)
        {CARD} ka statement (email kar do|chahiye) [{PAST}]
        passbook (print|download) (karni hai|kaise kare)
        """,
        hi="""
        {PAST} का (स्टेटमेंट|विवरण) (भेजो|डाउनलोड करना है|चाहिए)
        मुझे {ACCOUNT} का स्टेटमेंट (चाहिए|भेज दो)
        """,
    ),
}
