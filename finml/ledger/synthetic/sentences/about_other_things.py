"""What users type that has nothing to do with what the product does; some of it sounds like money."""

from finml.ledger.contracts import OUT_OF_SCOPE
from finml.ledger.synthetic.sentences.phrases import Phrases

PHRASES = {
    OUT_OF_SCOPE: Phrases(
        en="""
        (what's|what is|how is|how's) the weather [like] (in {CITY}|{COMING}|today)
        (will it|is it going to) rain (in {CITY}|{COMING})
        (tell|crack) me a (joke|story|riddle|fun fact) [about {THEME}]
        (how do i|how to|recipe to) (make|cook|bake) {DISH} [at home]
        who (won|is winning|will win) the (match|world cup|ipl|test match|election) [{PAST}]
        what's the score of (the match|india vs australia|csk vs mi|the final)
        (translate|how do you say) (hello|thank you|good morning|i love you) (in|to) \
            (tamil|french|spanish|bengali)
        (who is|who's) the (finance minister|rbi governor|president of india|ceo of google|prime minister \
            of japan)
        (what is|explain|define) {IDEA} [to a child|in simple words]
        when was (the rbi|the stock exchange|the rupee|gst|sbi) (founded|introduced|established|started)
        (will|is) (bitcoin|the sensex|nifty|dogecoin|the dollar) (go up|crash|rise|doing well) \
            [{COMING}|today]
        (what is|what's) the (price|rate) of (diesel|gold|tomatoes|onions|bitcoin|silver|the new iphone) \
            [today|in {CITY}]
        convert {NUMBER} (dollars|euros|pounds|yen|dirhams) (to|into) rupees
        (book|find) me a (cab|flight|train|hotel|movie ticket) [to {CITY}] [for {COMING}]
        (play|put on) [some] (music|arijit singh|old hindi songs|jazz|bhajans)
        (set|wake me with) an alarm (for|at) (6 am|7:30|noon|half past five)
        (write|draft) (a poem|an essay|a leave letter|an email to my boss|python code) [about {THEME}]
        (are you|am i talking to) (a robot|human|real|a bot|chatgpt)
        (what|which) (movie|series|book|phone) should i (watch|read|buy) [{COMING}]
        (how are you|how was your day|what's up|good morning|who made you|do you like me)
        (what is|calculate) ({NUMBER} times {NUMBER}|the square root of {NUMBER}|{NUMBER} plus {NUMBER})
        (how far|how long) is (the moon|mars|{CITY}|{CITY} from {CITY})
        (best|good) (restaurants|gyms|salons|schools|doctors) (near me|in {CITY})
        (can you|please) (order|get) me (a pizza|some flowers|an ice cream|milk)
        my (laptop|wifi|car|fridge|back) (is not working|is broken|hurts|stopped working) , (any idea|help)
        (how do|how can) i (lose weight|sleep better|learn guitar|grow tomatoes|renew my passport|apply for \
            a visa)
        (file|help me file) my (gst return|divorce|police complaint|court case)
        (what's|any) news (today|about the elections|on the budget session)
        (give me|any) tips for (my interview|upsc|my first date|yoga)
        """,
        hinglish="""
        (aaj|kal|) (mausam|weather) kaisa (hai|rahega) [{CITY} me]
        (ek|koi|) (joke|chutkula|kahani|shayari) (sunao|suna do|batao)
        {DISH} kaise (banate|banaye) [hain]
        (aaj ka|) match kaun (jeeta|jeetega|khel raha hai) [india ya pakistan]
        (koi|) (acchi|nayi) (movie|film|web series) (batao|suggest karo)
        (sona|chandi|tamatar|pyaaz|bitcoin) ka (bhav|daam|rate) kya hai [aaj]
        (dollar|euro) kitne rupaye ka hai [aaj]
        (tum|aap) kaun ho [robot ho kya]
        (kaise ho|kya haal hai|kya kar rahe ho|good night|namaste ji)
        (train|flight|cab) book (kar do|karni hai) [{COMING}] [{CITY} ke liye]
        (gaana|gana|music) (chalao|bajao|suna do)
        bharat ka (vitt mantri|rashtrapati|pradhan mantri) kaun hai
        {IDEA} kya (hota|hoti) hai
        vazan kaise (kam karu|ghataye)
        mere (bete|bhai) ke liye (ladki|naukri|tuition) dhundo
        """,
        hi="""
        (आज|कल|) [{CITY} में] मौसम कैसा (है|रहेगा)
        (एक|कोई) (चुटकुला|कहानी|शायरी) सुनाओ
        {DISH} कैसे बनाते हैं
        आज का मैच कौन जीता
        भारत के (वित्त मंत्री|राष्ट्रपति|प्रधानमंत्री) कौन हैं
        (सोने|चाँदी|प्याज़|टमाटर) का भाव क्या है
        (गाना|भजन) (चलाओ|सुनाओ)
        """,
    ),
}
