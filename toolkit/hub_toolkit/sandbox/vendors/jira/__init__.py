"""A simulator of Jira Cloud's REST API v3, as far as tickets go.

- ``app``: the WSGI application.
- ``issues``: the issues, their fields, and what search sees of them.
- ``search``: search requests and their pages.
- ``adf``: which Atlassian Document Format documents are valid, and their text.
- ``jql``: the part of JQL that it understands; the rest is refused.
- ``errors``: how Jira says no.

Source: developer.atlassian.com, Jira Cloud platform REST API v3. Wordings of errors that the
documents do not show follow what users report.
"""

from hub_toolkit.sandbox.vendors.jira.app import Jira

__all__ = ["Jira"]
