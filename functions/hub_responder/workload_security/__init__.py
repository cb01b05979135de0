"""Trend's Server & Workload Protection: computers, and the rules that shield them.

- ``regions``   the API's address
- ``computer``  one computer, read tolerantly
- ``rule``      one intrusion prevention rule, read tolerantly
- ``client``    the calls
- ``shields``   which CVEs intrusion prevention shields a computer from
- ``applying``  assigning the rules that it lacks
- ``wording``   what came of that, in a line
"""
