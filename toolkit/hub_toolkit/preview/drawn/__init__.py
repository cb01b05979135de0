"""Payloads as their targets show them, drawn in HTML; each function takes a request's body.

What is drawn comes from the payload alone. All text of it is escaped, links lead to http and https
only, and nothing is fetched or run: the mock-ups must stay harmless also where a payload is not.

- ``html``      tags with everything in them escaped
- ``slack``     blocks and mrkdwn; Amazon Q Developer's notification, which ends there
- ``card``      an Adaptive Card in Microsoft Teams
- ``adf``       an issue of Jira Cloud
- ``markdown``  an issue of GitHub, an OpsItem
- ``mail``      an e-mail
- ``fields``    what a ticket has beside its text
- ``plain``     text, and data
"""
