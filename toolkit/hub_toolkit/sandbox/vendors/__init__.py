"""Simulators of the systems that the responder talks to: WSGI applications without a network.

- ``base``: what they share: routes, JSON bodies, answers, and what the inbox is told.
- ``estate``, ``limits``: times that follow the clock, and requests per key in the last 60 seconds.
- ``vision_one``: Trend Vision One's public API.
- ``workload_security``: the Server & Workload Protection API.
- ``slack``: Slack's Web API and incoming webhooks.
- ``teams``: a Workflow of Microsoft Teams.
- ``pagerduty``: PagerDuty's Events API v2.
- ``jira``: Jira Cloud's REST API v3.
- ``smtp``: a mail server.
- ``github``: GitHub's REST API and GraphQL, as far as issues go.
- ``servicenow``: ServiceNow's Table API, for incidents and security incidents.

They follow the vendors' documents, never what a client of ours happens to send: what the real
system refuses is refused here too. Each needs only a clock, a callable that returns seconds since
the epoch.
"""
