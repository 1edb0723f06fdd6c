"""How users ask to send money and pay bills, and what became of money they await."""

from finml.ledger.synthetic.sentences.phrases import Phrases

PHRASES = {
    "transfer_money": Phrases(
        en="""
        (transfer|send|move|wire|remit) {MONEY} to {PERSON} [from [my] {ACCOUNT}] [{COMING}|right away|via \
            neft|by imps]
        (send|transfer) {PERSON} {MONEY} [from [my] {ACCOUNT}] [{COMING}]
        (i want to|i need to|can you|please|help me) (transfer|send|move) {MONEY} to (account \
            {NUMBER}|{PERSON}|my other account|my {ACCOUNT}) [ifsc {IFSC}]
        (move|shift|transfer) {MONEY} (from [my] {ACCOUNT} to [my] {ACCOUNT}|between my accounts)
        (neft|imps|rtgs) {LARGE} to {PERSON} [, ifsc {IFSC}] [{COMING}]
        (add|save) {PERSON} as (a|new) (beneficiary|payee) [with ifsc {IFSC}] [and send {MONEY}]
        (schedule|set up) a transfer of {MONEY} to {PERSON} (on|for) {COMING}
        (pay back|return) {PERSON} {MONEY} by bank transfer
        bank transfer to {PERSON} , {IFSC} , amount {MONEY}
        """,
        hinglish="""
        {PERSON} ko {MONEY} (bhejo|bhej do|transfer karo|transfer kar do|bhejne hain|dene hain) [{ACCOUNT} \
            se] [{COMING}]
        {MONEY} {PERSON} ke (account|khate) me (daal do|daalo|transfer karna hai|bhej do) [{COMING} tak]
        (mere|) {ACCOUNT} se {ACCOUNT} me {MONEY} (transfer|move) (karo|kar do|karna hai)
        {PERSON} ko (neft|imps) (kar do|karna hai) {MONEY} [ifsc {IFSC}]
        (mujhe|) {PERSON} ko paise (bhejne|transfer karne) hain [{COMING}]
        naya beneficiary (add karna hai|jodo) {PERSON} [{IFSC}]
        """,
        hi="""
        {PERSON} को {MONEY} (भेजो|भेज दो|ट्रांसफर करो) [{COMING}]
        {ACCOUNT} से {PERSON} के खाते में {MONEY} (डालो|भेजने हैं)
        """,
    ),
    "upi_payment": Phrases(
        en="""
        (pay|send) {MONEY} (to|on) {UPI} [now|please]
        (pay|send) {PERSON} {MONEY} (on|via|through|using|by) upi [{COMING}]
        upi {MONEY} to ({PERSON}|{UPI}|{MERCHANT})
        (scan|scan the|open the) qr [code] (and|to) pay {MONEY} [at {MERCHANT}]
        (request|collect) {MONEY} from ({UPI}|{PERSON}) (on|via|through) upi
        (my|the) upi (payment|transaction) [of {MONEY}] [to {UPI}] (failed|is stuck|is pending|did not go \
            through) [{PAST}]
        (change|reset|set|forgot) my upi pin
        what is my upi (id|limit) [for {ACCOUNT}]
        (link|add) my {ACCOUNT} (to|for|with) upi
        (set up|create|approve|cancel) (an|the) upi (autopay|mandate) [of {MONEY}] [for {MERCHANT}]
        """,
        hinglish="""
        {UPI} (pe|par|ko) {MONEY} (bhejo|bhej do|pay karo|daal do)
        {PERSON} ko (upi|gpay|upi se) {MONEY} (kar do|karo|bhej do|karna hai) [upi se]
        upi se {MONEY} ({MERCHANT}|{PERSON}) ko (pay karo|dena hai|de do)
        (mera|) upi (payment|transaction) (fail|atak|pending) (ho gaya|gaya|hai) [{MONEY} ka] [{PAST}]
        upi pin (bhool gaya|badalna hai|reset karna hai|set karo)
        qr (scan karke|scan karo aur) {MONEY} (pay karo|de do)
        {UPI} se {MONEY} (mangao|request karo)
        """,
        hi="""
        {UPI} पर {MONEY} (भेजो|भेज दो)
        यूपीआई से {PERSON} को {MONEY} (भेजो|दो)
        यूपीआई पिन (बदलना है|भूल गया)
        """,
    ),
    "bill_pay": Phrases(
        en="""
        (pay|settle|clear) (my|the) {BILL} bill [of {MONEY}] [from [my] {ACCOUNT}] [{COMING}]
        (i want to|can you|please|remind me to) pay [my|the] {BILL} bill [by|on] {COMING}
        (set up|enable|start|turn on) (autopay|auto debit|standing instruction) for [my] {BILL} [bill] [on \
            {COMING}]
        (when is|is) my {BILL} bill due [{COMING}]
        (recharge|top up) my (mobile|dth|fastag|metro) (with|for|by) {MONEY}
        how much is (my|the) {BILL} bill [this time|for {PAST}]
        pay {MONEY} (for|towards) {BILL} [to {MERCHANT}] [{COMING}]
        (pay|clear) my {CARD} bill [of {MONEY}] [in full|before {COMING}]
        any (bills|dues|payments) (due|pending) (this week|{COMING})
        {BILL} bill payment [{MONEY}]
        """,
        hinglish="""
        {BILL} (ka|ki|ke) bill (bharo|bhar do|pay karo|jama karo|bharna hai) [{MONEY} ka] [{COMING} (tak|ko)]
        (mera|) {BILL} ka bill (kab|kitna) (bharna hai|aaya hai|hai)
        mobile recharge (karo|kar do|karna hai) {MONEY} (ka|se)
        {BILL} ka (autopay|auto debit) (lagao|chalu karo|on kar do)
        {CARD} ka bill (bharna hai|pay kar do) [{COMING} tak]
        kaun se bill (baki|pending) hain [{COMING}]
        """,
        hi="""
        {BILL} का बिल (भरो|भरना है|जमा करो) [{MONEY} का]
        {BILL} का बिल (कितना है|कब भरना है)
        मोबाइल रिचार्ज करो {MONEY} का
        """,
    ),
    "refund_status": Phrases(
        en="""
        (where is|where's|what about|any update on) my refund [of {MONEY}] [from {MERCHANT}] [for the order \
            of {PAST}]
        (when will|when do) i (get|receive|see) my (refund|money back) [of {MONEY}] [from {MERCHANT}]
        (has|did) {MERCHANT} (refunded|refund|process the refund|send back) (my money|{MONEY}|the amount) \
            [yet]
        refund (status|not received|still pending|not credited) [for {MONEY}] [from {MERCHANT}] [since {PAST}]
        i (returned|cancelled) (the item|my order|a booking) (on|in) {PAST} , where is (the|my) \
            (refund|{MONEY})
        {MERCHANT} (says|said|promised) they refunded {MONEY} [on {PAST}] but (i don't see it|nothing came)
        how (long|many days) (does|will) (a|the) refund (take|need) to (reach|show in) my \
            ({ACCOUNT}|{CARD}|account)
        (track|check) [my] refund [of {MONEY}] [from {MERCHANT}]
        """,
        hinglish="""
        {MERCHANT} (ka|se) refund (aaya kya|kab aayega|nahi aaya|abhi tak nahi mila) [{MONEY} ka]
        (mera|) {MONEY} ka refund (kahan hai|kab milega|kab tak aayega|atka hua hai)
        {PAST} order (cancel|return) kiya tha , (refund|paisa wapas) (kab|nahi) (aayega|aaya|milega)
        refund ka status (batao|kya hai|check karo)
        paise wapas (kab aayenge|nahi aaye) [{MERCHANT} se]
        """,
        hi="""
        {MERCHANT} का रिफंड (कब आएगा|नहीं आया) [{MONEY} का]
        मेरा {MONEY} का रिफंड (कहाँ है|कब मिलेगा)
        """,
    ),
}
