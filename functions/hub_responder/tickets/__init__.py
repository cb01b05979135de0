"""Ticket systems. Each opens a ticket under a key of ours, by which it is found again.

- ``ticket``  what they have in common
- ``draft``  what a connection's settings make of an incident
- ``registry``  the type of a connection -> its ticket system
- ``github`` (with ``github_api``, ``github_standings``), ``jira`` (with ``jira_api``,
  ``jira_standings``, ``jira_workflow``), ``opscenter``,
  ``servicenow`` (with ``servicenow_api``, ``servicenow_standings``)
"""
