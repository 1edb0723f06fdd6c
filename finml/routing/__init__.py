"""Which version of a model answers whom: a file that says so, and the router that every serving process asks.

`rules` is the file's contract, `file` reads and writes it, `sticky` gives each user a place that never moves,
`routes` makes of a rule what is asked at every input, `router` follows the file and answers, `windows` keeps
what the versions of a canary did, `judgement` decides whether that breaks its limits, `endings` has the file
say that one has ended, `changes` is what commands do.
"""
