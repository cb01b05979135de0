"""Simulators of Jira Cloud's REST API v3 and Jira Data Center's v2, as far as tickets go.

- ``app``: the WSGI application, as Cloud has it.
- ``data_center``: what Data Center has otherwise.
- ``issues``: the issues, their fields, and what search sees of them.
- ``search``: search requests and their pages.
- ``adf``: which Atlassian Document Format documents are valid, and their text.
- ``wiki``: the text of wiki markup.
- ``jql``: the part of JQL that it understands; the rest is refused.
- ``errors``: how Jira says no.

Source: developer.atlassian.com, Jira Cloud platform REST API v3. Wordings of errors that the
documents do not show follow what users report.
"""

from hub_toolkit.sandbox.vendors.jira.app import Jira
from hub_toolkit.sandbox.vendors.jira.data_center import DataCenter

__all__ = ["DataCenter", "Jira"]
