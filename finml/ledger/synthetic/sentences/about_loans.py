"""How users ask about loans, instalments and their credit."""

from finml.ledger.synthetic.sentences.phrases import Phrases

PHRASES = {
    "loan_eligibility": Phrases(
        en="""
        (am i|would i be) eligible for a [personal|home|car|business|student|gold] loan [of {LARGE}]
        (can i|could i|i want to|i'd like to|how do i) (get|take|apply for|avail) a (personal|home|car|two \
            wheeler|student|gold) loan [of {LARGE}] [at {PERCENT}]
        how much (loan|can i borrow) (can i get|on my salary|am i eligible for) [on a salary of {MONEY}]
        (need|looking for|want to borrow) {LARGE} [as a loan] (for|to) (my wedding|renovate my house|a \
            medical emergency|buy a car|my shop|college)
        what (is|are) the (interest rate|documents|charges|criteria) for a [personal|home|car] loan [of \
            {LARGE}]
        (max|maximum|highest) loan amount (for me|i can get|on my income)
        do you (offer|give) (a|any) (top up|balance transfer|pre approved|instant) loan [of {LARGE}]
        will i (get|qualify for) {LARGE} (with|on) [a] [monthly] income of {MONEY}
        loan chahiye {LARGE} [urgent]
        """,
        hinglish="""
        (mujhe|) {LARGE} ka (loan|personal loan|home loan|gaadi ka loan) (chahiye|lena hai|mil sakta hai \
            kya|milega kya)
        (meri|) salary {MONEY} hai , kitna loan (milega|mil sakta hai)
        loan ke liye (eligible|layak) hu (kya|ya nahi)
        (ghar|gaadi|shaadi|dukaan|padhai) ke liye loan (chahiye|lena hai) [{LARGE}]
        personal loan (pe|ka|par) (byaaj|interest) kitna (hai|lagega) [{LARGE} pe]
        {PERCENT} pe loan milega kya [{LARGE} ka]
        """,
        hi="""
        मुझे {LARGE} का लोन (चाहिए|मिल सकता है क्या)
        (घर|गाड़ी|शादी) के लिए (कितना लोन मिलेगा|लोन चाहिए)
        क्या मैं लोन के लिए योग्य हूँ
        """,
    ),
    "loan_status": Phrases(
        en="""
        (what is|what's|check|tell me|show) the status of my [personal|home|car] loan [application] [of \
            {LARGE}]
        (has|is) my [personal|home|car] loan [of {LARGE}] (been \
            approved|approved|sanctioned|disbursed|rejected) [yet]
        how much (is left|principal is left|do i still owe|is outstanding) on my [home|car|personal] loan
        (when will|when does) (my loan|the loan amount|the disbursal) (get disbursed|be \
            credited|come|end|close)
        i applied for a [personal|home] loan (on|in) {PAST} , any (update|news|progress)
        (outstanding|remaining) (amount|principal|balance) (on|of) (my loan|the {LARGE} loan)
        (i want to|can i|how to) (foreclose|close|prepay) my [personal|home|car] loan [with {LARGE}] [by \
            {COMING}]
        why (was|is|did) my loan [application] (rejected|stuck|get delayed|pending)
        (is|are) there prepayment charges on my loan
        """,
        hinglish="""
        (mere|mera) loan (ka status|ka kya hua|application ka status) [batao|kya hai]
        loan (approve|pass|sanction) hua (kya|ya nahi) [{LARGE} wala]
        (mera|) {LARGE} ka loan kab (aayega|disburse hoga|pass hoga)
        (home loan|car loan|loan) me kitna (baki|bacha) hai
        {PAST} loan (apply kiya tha|ke liye apply kiya) , (kya hua|koi update)
        loan (band|close|jaldi khatam) karna hai [{COMING}] [{LARGE} de ke]
        """,
        hi="""
        मेरे लोन का स्टेटस क्या है
        मेरा {LARGE} का लोन (मंज़ूर हुआ क्या|कब आएगा)
        लोन में कितना बाकी है
        """,
    ),
    "emi_due": Phrases(
        en="""
        (when is|what date is) my [next] [home loan|car loan|loan] emi due [{COMING}]
        how much is (my|the) [next|monthly] emi [for|on] (my loan|the bike loan|{COMING})
        (did|has) my emi [of {MONEY}] (get deducted|been debited|bounce|go through) [for|in] {PAST}
        (pay|clear) (my|the) [overdue|pending] emi [of {MONEY}] [from {ACCOUNT}] [{COMING}]
        (can i|i want to|how do i) (skip|postpone|change the date of|delay) (my|the) emi [to {COMING}]
        (how many|which) emis (are|are still) (left|pending|due|remaining)
        my emi (bounced|got returned|failed) [on {PAST}] , what (now|is the penalty)
        (convert|change) (my purchase|the {MONEY} spend) [at {MERCHANT}] (to|into) emi
        emi (date|amount|schedule) [for {COMING}]
        is there an emi of {MONEY} due (on|in|by) {COMING}
        """,
        hinglish="""
        (meri|mera|) [agli] (emi|kist) kab (hai|katega|due hai|bharni hai)
        (meri|) (emi|kist) kitni (hai|banti hai|katti hai) [{COMING}]
        {COMING} (ki|wali) emi (bharni hai|pay kar do|kitni hai)
        emi (bounce ho gayi|kat gayi kya|nahi kati) [{PAST}]
        (kitni|kitne) (kist|emi) (baki|bachi) hain
        {MONEY} ki emi {COMING} (tak|ko) (kat jayegi|bharni hai) kya
        """,
        hi="""
        मेरी (अगली|) (ईएमआई|किस्त) कब है
        {COMING} की किस्त (कितनी है|भरनी है)
        कितनी किस्तें बाकी हैं
        """,
    ),
    "credit_score": Phrases(
        en="""
        (what is|what's|check|show|tell me) my [current|latest] (credit score|cibil score|cibil|credit rating)
        (how can i|how do i|tips to|help me) (improve|increase|boost|fix) my (credit score|cibil)
        (why did|why has) my (credit score|cibil) (drop|fall|go down|change) [{PAST}]
        (is|would) a score of (650|700|720|750|780) (good|enough) [for a loan]
        (download|get|see) my (credit report|cibil report) [using pan {PAN}]
        does (checking|a late payment|closing a card) (hurt|affect|lower) my (credit score|cibil)
        cibil (score check|for pan {PAN}|score)
        (has|did) my (credit score|cibil) (improve|go up|updated) (since|in) {PAST}
        (there is a wrong|i don't recognise a) loan (in|on) my (cibil|credit) report
        """,
        hinglish="""
        (mera|) (cibil|credit score|cibil score) (kitna hai|batao|check karo|dikhao)
        (cibil|credit score) kaise (badhau|badhaye|sudharu|theek karu)
        (cibil|score) kyu (gir gaya|kam ho gaya|ghat gaya) [{PAST}]
        pan {PAN} se (cibil|credit score) (check karo|nikalo)
        (700|750) cibil (accha|theek) hai kya [loan ke liye]
        """,
        hi="""
        मेरा (सिबिल|क्रेडिट) स्कोर (कितना है|बताओ)
        क्रेडिट स्कोर कैसे (बढ़ाऊँ|सुधारूँ)
        """,
    ),
}
