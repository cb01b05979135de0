"""A simulator of GitHub's REST API and GraphQL, as far as the issues of one repository go.

- ``app``: the WSGI application.
- ``graph``: GraphQL.
- ``issues``: the issues, and what GitHub checks of a request.

Source: docs.github.com, REST API version 2022-11-28, and "Rate limits for the REST API". Markdown
is kept as it was written. Wordings of errors that the documents do not show follow what users
report.
"""

from hub_toolkit.sandbox.vendors.github.app import GitHub

__all__ = ["GitHub"]
