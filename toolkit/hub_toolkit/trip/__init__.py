"""The whole trip for event files: into a sandbox, through the responder, and what came of it.

``inputs`` reads the files, ``client`` speaks to a sandbox, ``outcome`` reads the audit trail,
``report`` prints.
"""
