"""The registry: what was trained, what may be served, and how it came about.

`tracking` logs a training to MLflow, `gate` judges its evaluation, `registration` turns an approved run into
a numbered version, `promotion` moves the aliases `candidate`, `champion` and `previous`, `challenge` moves
`challenger`, both at the `desk` that keeps their log; `delivery` hands out a version's files after checking
verdict and hashes again, `lineage` traces it back.
"""
