"""How users ask what they spend, and plan what they may spend."""

from finml.ledger.synthetic.sentences.phrases import Phrases

PHRASES = {
    "spend_by_category": Phrases(
        en="""
        how much (did i|have i|do i) (spend|spent|blow) on {CATEGORY} [in|during] {PAST}
        (show|tell) [me] [my] {CATEGORY} (spending|expenses|spends|expense) [for|in] {PAST}
        what (did|do) i spend on {CATEGORY} [and {CATEGORY}] [{PAST}]
        (total|my) (expenses|spending) on {CATEGORY} [{PAST}]
        (am i|was i) spending (too much|more|a lot) on {CATEGORY} [{PAST}|than {PAST}]
        (break down|breakdown of|split) my (spending|expenses) by category [for] {PAST}
        where (did|does) (all|most of) my money go [{PAST}]
        (compare|difference between) my {CATEGORY} (spend|expense) (in|of) {PAST} (and|with|vs) {PAST}
        {CATEGORY} (kharcha|spend|costs|total) [{PAST}]
        which category (did i spend|eats up|takes) the most [on] [{PAST}]
        what (percentage|share|percent) of my (money|income) goes (to|into) {CATEGORY}
        """,
        hinglish="""
        {PAST} {CATEGORY} (pe|par|me|mein) kitna (kharch|kharcha|spend) (hua|kiya|ho gaya)
        {CATEGORY} (pe|par) kitne (paise|rupaye) (gaye|kharch hue|lage) [{PAST}]
        (mera|) {CATEGORY} ka kharcha (batao|dikhao|kitna hai) [{PAST}]
        {PAST} sabse zyada (kharcha|paisa) (kahan|kis cheez pe) (hua|gaya)
        {CATEGORY} aur {CATEGORY} (pe|par) total kitna (gaya|kharch hua) [{PAST}]
        (kya|) main {CATEGORY} (pe|par) zyada kharch kar raha hu
        (category|kharche) ke hisaab se (dikhao|batao) [{PAST}]
        """,
        hi="""
        {PAST} {CATEGORY} पर कितना (खर्च|खर्चा) (हुआ|किया)
        {CATEGORY} का खर्चा (बताओ|दिखाओ) [{PAST}]
        {PAST} सबसे ज़्यादा खर्च कहाँ हुआ
        """,
    ),
    "spend_by_merchant": Phrases(
        en="""
        how much (did i|have i) (spend|spent|pay|paid) (at|to|on|with) {MERCHANT} [in|during] {PAST}
        (total|my) (spend|spending|payments|bill) (at|to|with) {MERCHANT} [{PAST}]
        (show|tell) me (what|how much) i (spent|paid) at {MERCHANT} [and {MERCHANT}] [{PAST}]
        how (often|many times) (did|have|do) i (order from|buy from|go to|shop at|pay) {MERCHANT} [{PAST}]
        which (shop|merchant|store|app) (did i|do i) spend the most at [{PAST}]
        what's my {MERCHANT} (total|bill|spend) [for|in] {PAST}
        (did i|have i) (spend|spent) more than {MONEY} at {MERCHANT} [{PAST}]
        top (merchants|shops|5 merchants|stores) by (spend|amount) [{PAST}]
        {MERCHANT} (spends|expenses|orders) [{PAST}]
        average (order|bill|amount) at {MERCHANT} [{PAST}]
        """,
        hinglish="""
        {MERCHANT} (pe|par|me|ko) kitna (kharch|kharcha|paisa) (kiya|hua|gaya|diya) [{PAST}]
        {PAST} {MERCHANT} (se|pe) kitne (ka|ki) (saman|order) (liya|kiya)
        {MERCHANT} (ko|me) (ab tak|total) kitne (paise|rupaye) diye
        sabse zyada (kharcha|paise) kis (dukaan|shop|merchant) (pe|par) [hua|gaye] [{PAST}]
        {MERCHANT} se kitni baar (order kiya|kharida) [{PAST}]
        {MERCHANT} aur {MERCHANT} ka total (batao|kitna)
        """,
        hi="""
        {PAST} {MERCHANT} पर कितना (खर्च किया|खर्चा हुआ)
        {MERCHANT} को कुल कितने पैसे दिए [{PAST}]
        सबसे ज़्यादा खर्च किस दुकान पर हुआ [{PAST}]
        """,
    ),
    "budget_set": Phrases(
        en="""
        (set|create|make|add) [me] (a|my) [monthly] budget (of|to|at) {MONEY} (for|on) {CATEGORY} \
            [for|from] {COMING}
        (limit|cap|restrict) my {CATEGORY} (spending|spend|budget) (to|at) {MONEY} [a month|per \
            month|{COMING}]
        i (want|plan|would like) to spend (only|no more than|at most|under) {MONEY} on {CATEGORY} [{COMING}]
        (increase|raise|reduce|change|lower|cut) my {CATEGORY} budget (to|by) ({MONEY}|{PERCENT})
        (alert|warn|notify|tell) me (when|if|once) i (spend|cross|go over) {MONEY} (on|for) {CATEGORY}
        {CATEGORY} budget {MONEY} [from {COMING}]
        (new|start a) budget [for {COMING}] : {MONEY} [total]
        help me (set|make|plan) a budget for {CATEGORY} [{COMING}]
        keep {PERCENT} of my (salary|income) for {CATEGORY}
        """,
        hinglish="""
        {CATEGORY} (ka|ke liye) budget {MONEY} (set karo|kar do|rakho|rakh do|banao)
        {COMING} (se|ke liye) {CATEGORY} (pe|par) {MONEY} (ka limit|ki limit) (lagao|laga do)
        {CATEGORY} (pe|par) {MONEY} se zyada (kharch|kharcha) ho to (batana|alert karna)
        (mujhe|) {COMING} sirf {MONEY} kharch (karne hain|karna hai) {CATEGORY} (pe|par)
        (mera|) {CATEGORY} (wala|ka) budget (badha do|badhao|kam karo|ghata do) {MONEY} (tak|kar do)
        (naya|) budget banana hai [{CATEGORY} ke liye] [{COMING} ka]
        """,
        hi="""
        {CATEGORY} का बजट {MONEY} (रखो|सेट करो|कर दो)
        {COMING} {CATEGORY} पर {MONEY} की सीमा लगाओ
        {CATEGORY} के लिए नया बजट बनाना है
        """,
    ),
    "budget_status": Phrases(
        en="""
        how (is|are) my [{CATEGORY}] budget (doing|going|looking) [{PAST}]
        how much of my {CATEGORY} budget (is left|remains|have i used|did i use) [for|in] {PAST}
        (am i|have i|did i) (over|within|under|exceed|stay within) (my|the) [{CATEGORY}] budget [{PAST}]
        (what's|what is) (left|remaining) (in|of|from) my {CATEGORY} budget
        (can i|do i have room to) (still|) spend {MONEY} (more|) on {CATEGORY} within (my|the) budget
        (show|check) [me] [my] budget (status|progress|report|tracker) [for {PAST}]
        did i (cross|blow|break|overshoot) the {CATEGORY} (limit|budget) [{PAST}]
        budget (remaining|left|used) [for] [{CATEGORY}] [so far]
        by how much (did i|have i) (exceed|exceeded|overshoot) the {MONEY} budget [for {CATEGORY}]
        """,
        hinglish="""
        {CATEGORY} (ka|ke) budget me (kitna bacha|kitna baki|kitna reh gaya) (hai|)
        (mera|) budget (kaisa chal raha hai|kitna use hua|cross ho gaya kya) [{PAST}]
        (kya|) maine {CATEGORY} ka budget (cross|paar) kar (diya|liya) [kya]
        {PAST} (ka|ke) budget (status|report) (dikhao|batao)
        budget ke andar hu (kya|ya nahi) [{CATEGORY} me]
        {CATEGORY} ke budget se {MONEY} aur kharch kar sakta hu kya
        """,
        hi="""
        {CATEGORY} के बजट में कितना (बचा|बाकी) है
        क्या मैं बजट के अंदर हूँ [{PAST}]
        मेरा बजट कितना (इस्तेमाल हुआ|बचा) [{PAST}]
        """,
    ),
    "savings_goal": Phrases(
        en="""
        i want to save {LARGE} (for|towards) (a car|my wedding|a trip|a new phone|my daughter's college|a \
            house|goa|a bike) [by {COMING}]
        (create|set|start|open|add) (a|my) [new] savings goal [of {LARGE}] [for (a laptop|vacation|the \
            wedding|emergency fund)] [by {COMING}]
        how (much|long) (should|must|do) i (save|put aside) [every month|monthly] to (reach|get|have) \
            {LARGE} [by {COMING}]
        (am i|are we) on track (for|with|to reach) my (savings goal|{LARGE} goal|emergency fund|trip fund)
        (move|put|set aside|add) {MONEY} (to|into|towards) my (goal|trip fund|emergency fund|piggy bank) \
            [every month]
        save {PERCENT} of my salary (every month|automatically|towards my goal)
        how far (am i|is it) from my {LARGE} (goal|target)
        help me save (for|up for) (a bike|college|a honeymoon|diwali|retirement) [by {COMING}]
        (increase|change|update) my (goal|savings target) to {LARGE} [by {COMING}]
        """,
        hinglish="""
        (mujhe|) {COMING} tak {LARGE} (jodne|bachane|save karne) (hain|hai) [gaadi ke liye|shaadi ke \
            liye|ghar ke liye]
        {LARGE} bachane ke liye (har mahine|mahine ka) kitna (save|bachat) (karu|karna hoga)
        (naya|ek) savings goal (banao|banana hai|set karo) {LARGE} ka [{COMING} tak]
        (har mahine|) {MONEY} goal me (daalo|daal do|add karo)
        mera (goal|savings target) kitna (pura|complete) hua
        salary ka {PERCENT} (bachana|save karna) (hai|chahta hu)
        (bike|phone|trip|shaadi) ke liye paise (jodne|bachane) hain
        """,
        hi="""
        मुझे {COMING} तक {LARGE} (बचाने|जोड़ने) हैं
        {LARGE} बचाने के लिए हर महीने कितना (जोड़ूँ|बचाना होगा)
        नया बचत लक्ष्य (बनाओ|बनाना है) {LARGE} का
        """,
    ),
}
