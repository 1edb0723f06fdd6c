"""How users ask about their cards, report fraud and bring their papers up to date."""

from finml.ledger.synthetic.sentences.phrases import Phrases

PHRASES = {
    "card_block": Phrases(
        en="""
        (block|freeze|lock|disable|deactivate|hotlist) my ({CARD}|card) [immediately|right \
            now|asap|temporarily]
        (i lost|i've lost|i misplaced|i can't find|someone stole) my ({CARD}|card|wallet with my {CARD}) \
            [{PAST}] [, block it]
        my ({CARD}|card|purse) (was|got|is) (stolen|lost|missing) [{PAST}] [, please block it]
        (unblock|unfreeze|reactivate|unlock) my ({CARD}|card) [i found it]
        (stop|prevent|switch off) all (transactions|payments|online payments) on my {CARD}
        (need|want) to (block|hotlist|cancel) ({CARD}|my card) [and get a new one]
        (left|forgot) my {CARD} (at {MERCHANT}|in a cab|in the atm) [{PAST}] , (block|freeze) it
        atm (swallowed|ate|kept) my {CARD} [{PAST}]
        """,
        hinglish="""
        (mera|apna|) ({CARD}|card) (block|band|freeze|lock) (karo|kar do|karna hai|kardo) [jaldi|turant|abhi]
        (mera|) ({CARD}|card|batua) (kho gaya|gum ho gaya|chori ho gaya) [hai] [{PAST}] [, block karo]
        {CARD} ke saare transaction (band|rok) (karo|do)
        card mil gaya , (unblock|chalu) kar do [{CARD}]
        atm me {CARD} (phas gaya|reh gaya) [{PAST}]
        """,
        hi="""
        मेरा ({CARD}|कार्ड) (ब्लॉक|बंद) (करो|कर दो|करना है) [तुरंत|अभी]
        मेरा ({CARD}|कार्ड) (खो गया|चोरी हो गया) [{PAST}]
        """,
    ),
    "card_limit": Phrases(
        en="""
        (what is|what's|tell me|show) the [credit|spending|available] limit (on|of) my {CARD}
        (increase|raise|enhance|extend) the limit (of|on) my {CARD} [to {LARGE}]
        (can i|i want to|please) (increase|reduce|lower|change|set) my [{CARD}] [daily|atm|online] limit \
            (to|by) {MONEY}
        how much (credit|limit) (is left|do i have left|is available) on my {CARD}
        (am i|is my card) (eligible for|due for) a (limit increase|higher limit|limit enhancement)
        (set|put|change) a (daily|monthly|withdrawal) limit of {MONEY} (on|for) my {CARD}
        (daily|atm|withdrawal|pos) limit (for|of|on) {CARD}
        i've used {PERCENT} of my [{CARD}] limit , (increase it|raise it|can it go up)
        (turn on|enable|allow|disable) (international|online|tap and pay) (usage|transactions) [up to \
            {MONEY}] on my {CARD}
        """,
        hinglish="""
        (mere|) {CARD} ki limit (kitni hai|batao|badha do|badhao|badhani hai|kam karo)
        (meri|) card limit {LARGE} (kar do|tak badha do)
        {CARD} (pe|par|me) kitni limit (bachi|baki) hai
        {CARD} se (ek din me|roz) kitna nikal sakte hain
        atm limit {MONEY} (kar do|set karo) [{CARD} ki]
        {CARD} (pe|par) international transaction (chalu|on|band) kar do
        """,
        hi="""
        मेरे {CARD} की लिमिट (कितनी है|बढ़ाओ|बढ़ा दो)
        {CARD} पर कितनी लिमिट बची है
        """,
    ),
    "card_dispute": Phrases(
        en="""
        (i want to|i need to|how do i|please) (dispute|contest|challenge|raise a dispute for) (a|the) \
            [{MONEY}] (charge|transaction) [from {MERCHANT}] [on my {CARD}]
        {MERCHANT} (charged|billed) me (twice|two times|double|{MONEY} extra) [on {PAST}] [on my {CARD}]
        (i was|got) (charged|billed) (twice|wrongly|{MONEY} instead of {MONEY}|double) (at|by) {MERCHANT} \
            [{PAST}]
        (wrong|duplicate|double|incorrect) (charge|amount|debit) (of {MONEY}|) (at|from) {MERCHANT} on \
            (my|the) {CARD}
        (raise|file|start|open) a (chargeback|dispute) (for|against) {MERCHANT} [for {MONEY}]
        the (item|order|product) from {MERCHANT} never (came|arrived) , (i want my {MONEY} back|reverse the \
            charge)
        (what happened to|status of|any update on) my dispute [of {MONEY}] [with {MERCHANT}] [from {PAST}]
        {MERCHANT} (keeps charging|still charges) my {CARD} [{MONEY}] after i cancelled
        atm (didn't|did not) (dispense|give) cash but {MONEY} (was|got) debited [{PAST}]
        """,
        hinglish="""
        {MERCHANT} ne {MONEY} (do baar|double|zyada) (kaat liye|charge kiya|kaata) [{PAST}]
        (mujhe|) {MERCHANT} (wale|ke) charge ka dispute (karna hai|raise karna hai|daalna hai) [{MONEY} ka]
        {CARD} (pe|se) galat (charge|paise) (kata|kate|lag gaya) hai [{MONEY}] [{PAST}]
        atm se paise nahi nikle (par|lekin) {MONEY} kat gaye [{PAST}]
        {MERCHANT} ka saman nahi aaya , charge (reverse|wapas) karo
        dispute ka kya hua [{MERCHANT} wala|{PAST} kiya tha]
        """,
        hi="""
        {MERCHANT} ने {MONEY} दो बार काट लिए [{PAST}]
        {CARD} पर गलत चार्ज लगा है [{MONEY} का]
        एटीएम से पैसे नहीं निकले पर {MONEY} कट गए
        """,
    ),
    "fraud_report": Phrases(
        en="""
        (i did not|i didn't|i never) (make|authorise|do) (this|the|that|a) [{MONEY}] \
            (payment|transaction|transfer) [to {MERCHANT}|to {UPI}] [{PAST}]
        (someone|somebody|a scammer|an unknown person) (withdrew|stole|took|transferred|debited) {MONEY} \
            from my ({ACCOUNT}|{CARD}|account) [{PAST}]
        (i got|received) a (fake|suspicious|fraud) (call|sms|link|message) (asking for my otp|about \
            kyc|saying my account is blocked) [{PAST}]
        i (shared|gave) my (otp|pin|cvv|password) (with a caller|on a link|by mistake) [and lost {MONEY}]
        (report|reporting) (a|) (fraud|scam|unauthorised transaction|phishing) [of {MONEY}] [{PAST}]
        (i've been|i was|got) (scammed|cheated|hacked|duped) [of {MONEY}] [by {UPI}] [{PAST}]
        (my account|my phone|my upi) (was|is|got|has been) hacked [{PAST}] [, {MONEY} is gone]
        unknown (debit|transaction|withdrawal) of {MONEY} (in|from) my {ACCOUNT} [{PAST}] [, not me]
        (money|{MONEY}) went to {UPI} without my (permission|knowledge|consent)
        """,
        hinglish="""
        (mere|) (account|khate|{ACCOUNT}) se {MONEY} (kisi ne|apne aap) (nikal liye|uda liye|kat gaye) \
            [{PAST}] [maine nahi kiya]
        (mere saath|) (fraud|dhokha|scam) (ho gaya|hua) (hai|) [{MONEY} ka] [{PAST}]
        (maine|) otp (bata diya|share kar diya) [aur {MONEY} (kat gaye|chale gaye)]
        ye {MONEY} ka transaction (maine nahi kiya|mera nahi hai) [{PAST}]
        (fake|farzi) call aaya tha (otp|kyc|pin) (maang raha tha|ke liye) [{PAST}]
        {UPI} ne {MONEY} (thag liye|fraud karke le liye)
        """,
        hi="""
        मेरे खाते से {MONEY} किसी ने निकाल लिए [{PAST}]
        मेरे साथ (धोखाधड़ी|फ्रॉड) (हुई|हुआ) है [{MONEY} का]
        यह लेनदेन मैंने नहीं किया [{MONEY}]
        """,
    ),
    "kyc_update": Phrases(
        en="""
        (how do i|i want to|i need to|please|where can i) (update|complete|submit|renew|finish) my \
            (kyc|ekyc|re-kyc|kyc documents) [by {COMING}]
        (is|was) my (kyc|ckyc) (done|complete|verified|approved|pending|expired) [yet]
        (update|change|correct) my (address|phone number|mobile number|email|name|nominee|date of birth) \
            [in|for] [my {ACCOUNT}] [from {COMING}]
        (link|add|seed|update) my (pan {PAN}|pan|aadhaar) [to|with] [my {ACCOUNT}]
        my pan is {PAN} , (please update it|is it linked|update kyc)
        (which|what) documents (are needed|do i need|should i upload) for kyc
        (add|change) {PERSON} as [my] nominee [for {ACCOUNT}]
        kyc (rejected|failed|pending|expired) [since {PAST}] , what (do i do|now)
        i've (moved|shifted) to a new (house|city) , update my address
        (upload|submit) pan (card|) {PAN}
        """,
        hinglish="""
        (mera|apna|) kyc (update|complete|pura) (karna hai|kaise karu|karo) [{COMING} tak]
        kyc (hua|ho gaya|pending hai|reject ho gaya) (kya|)
        (mera|) (address|pata|mobile number|naam|email) (badalna|change karna|update karna) hai
        pan {PAN} (link|update) (karo|kar do|karna hai) [{ACCOUNT} se]
        aadhaar (link|jodna) (karna hai|hai) [{ACCOUNT} se]
        {PERSON} ko nominee (banana|add karna) hai
        kyc ke liye kya (documents|kagaz) chahiye
        """,
        hi="""
        मेरा केवाईसी (अपडेट करना है|कैसे करूँ|पूरा हुआ क्या)
        मेरा (पता|मोबाइल नंबर) बदलना है
        पैन {PAN} (लिंक करो|अपडेट करो)
        """,
    ),
    "investment_advice": Phrases(
        en="""
        where (should|can|do) i invest {LARGE} [for {COMING}|right now|safely]
        (is it|is this) a good (time|idea) to (invest in|buy|start) (mutual funds|gold|stocks|a sip|index \
            funds|bonds|{MERCHANT})
        (suggest|recommend|tell me) [me] (a|some|the best) (mutual \
            funds|sip|investment|investments|elss|tax saving options) [for {LARGE}] [returning {PERCENT}]
        (should i|is it better to) (invest|put) {MONEY} [a month] (in|into) (a sip|gold|mutual \
            funds|ppf|nps) [or (an fd|stocks|real estate)]
        how (do i|can i|to) (save tax|grow my money|double {LARGE}|start investing) [with {MONEY}] [by \
            {COMING}]
        i have {LARGE} (lying idle|sitting idle|spare|extra) [in [my] {ACCOUNT}] , (what should i do|where \
            to put it)
        what (returns|return) can i (expect|get) (on|from) {LARGE} in (mutual funds|equity|gold|debt funds)
        (low risk|safe|high return) investment [options] [for {LARGE}] [above {PERCENT}]
        (start|stop|increase|pause) (my|a) sip of {MONEY} [in|with] {MERCHANT} [from {COMING}]
        how (diversified|risky) is my portfolio
        """,
        hinglish="""
        {LARGE} (kahan|kaha) (invest|lagau|lagaye|invest karu) [{COMING} tak]
        (sip|mutual fund|share|sona) (me|mein) paisa (lagana|daalna) (chahiye|sahi hai) (kya|ya nahi)
        {MONEY} (ki|ka) sip (shuru|start) (karni hai|karo|karu kya) [{MERCHANT} me] [{COMING} se]
        tax (bachane|save karne) ke liye kahan invest karu [{LARGE}]
        (accha|best|safe) (mutual fund|investment) (batao|suggest karo) [{LARGE} ke liye]
        {PERCENT} return kahan milega
        """,
        hi="""
        {LARGE} कहाँ (निवेश करूँ|लगाऊँ)
        (म्यूचुअल फंड|एसआईपी|सोने) में पैसा लगाना (सही है क्या|चाहिए क्या)
        {MONEY} की एसआईपी शुरू करनी है
        """,
    ),
    "fd_rates": Phrases(
        en="""
        (what is|what's|what are|tell me) the [current|latest] (fd|fixed deposit|rd|recurring deposit) \
            (rate|rates|interest rate) [for senior citizens]
        how much (interest|return) (will i get|do i get|would i earn) on [a|an] (fd|fixed deposit|rd) of \
            {LARGE} [till {COMING}]
        (open|book|create|start|make) (a|an) (fd|fixed deposit|rd) (of|for|with) {LARGE} [from [my] \
            {ACCOUNT}] [at {PERCENT}] [till {COMING}]
        (is|are) (fd|rd|deposit) rates (going up|above {PERCENT}|{PERCENT} now|higher now)
        (break|close|withdraw) my (fd|fixed deposit) [of {LARGE}] [before maturity|early]
        when (does|will) my (fd|fixed deposit|rd) [of {LARGE}] (mature|end) [is it {COMING}]
        fd (calculator|interest|maturity amount) [for {LARGE}] [at {PERCENT}]
        (renew|auto renew|extend) my (fd|deposit) [of {LARGE}] [at {PERCENT}]
        which (tenure|bank) (gives|has) the best (fd|rd) rate
        """,
        hinglish="""
        fd (pe|par|ka) (kitna|) (byaaj|interest|rate) (kitna|) (hai|milega|chal raha hai) [aaj kal]
        {LARGE} ki fd (karni hai|kar do|karani hai|banao) [{COMING} tak] [{ACCOUNT} se]
        {LARGE} ki fd (pe|par) kitna (milega|byaaj aayega) [{PERCENT} pe]
        (meri|) fd kab (mature|puri) hogi
        fd (todni|band karni) hai [{LARGE} wali]
        fd ka rate {PERCENT} (hai|hua) kya
        """,
        hi="""
        एफडी पर कितना ब्याज (मिलेगा|है)
        {LARGE} की एफडी (करनी है|करो) [{COMING} तक]
        मेरी एफडी कब पूरी होगी
        """,
    ),
}
