"""Effects happen once: who works on an incident, what was done, and what was told.

- ``keys``         partition keys, effect keys, sort keys
- ``state``        the incident's item as a value, `State`
- ``decide``       what to do with findings that arrive, given what the ledger holds (pure)
- ``operations``   the transitions as items of a DynamoDB transaction (pure)
- ``transaction``  many incidents' transitions and their audit records, few transactions
- ``store``        `Ledger`: the reads and moves that the engine makes

Two batches can always meet on one incident, messages come twice and late, processes die anywhere.
One of them owns the incident for a round; the others join their findings to the next round, and a
*settle* message starts that round when the time has come.
"""
