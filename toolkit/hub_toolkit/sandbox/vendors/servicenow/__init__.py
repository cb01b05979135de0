"""A simulator of one ServiceNow instance, as far as the Table API on two tables goes.

- ``app``: the WSGI application: authentication, rate limit, hibernation, routes.
- ``query``: encoded queries, with the trap that a part which is not understood is left out.
- ``records``: `incident` and `sn_si_incident`: columns, states, what a write is refused for.

Source: the REST API reference ("Table API"), "OAuth API request parameters", "Inbound REST API rate
limiting", "Incident Management state model" and "Journal field type" on www.servicenow.com/docs.
Wordings of errors that the documents do not show follow what users report.
"""

from hub_toolkit.sandbox.vendors.servicenow.app import ServiceNow

__all__ = ["ServiceNow"]
