"""The dead letters of a deployment: looked at, sent again, or thrown away.

- ``looking``   receives from a queue without hiding or losing what is in it
- ``letter``    a message of the dead-letter queue as a value: why, whose, about what
- ``acting``    a letter to the queue it came from, or away; each with its records
- ``printed``   letters for people
"""
