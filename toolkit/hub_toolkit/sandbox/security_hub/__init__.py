"""Security Hub of the sandbox.

- ``hub``: the service: its operations and what the console does.
- ``rest``: its REST-JSON API over WSGI.
- ``asff``: which findings BatchImportFindings takes.
- ``findings``: the findings kept, and how imports and updates change them.
- ``attributes``, ``filters``: which findings GetFindings and insights mean.
- ``actions``, ``insights``: custom actions and saved filters.
- ``events``: what goes to EventBridge.
- ``ocsf``: findings of the new Security Hub beside the ASFF ones.
"""
