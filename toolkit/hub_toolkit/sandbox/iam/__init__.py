"""IAM as far as the template's roles need it: a function may do what its role allows, no more.

- ``needs``: the permissions that a request needs, with their resources and condition keys
- ``policies``: the statements of a role, and whether they allow a need
- ``roles``: the functions' roles around the AWS endpoint; what each used is kept

Only the policies of roles decide. Those of queues, topics, buckets and keys are not looked at, nor
are boundaries and service control policies. Whoever calls with another key than a function's, as
the AWS CLI does, may do anything, and so may who assumed a role in a member account: what that one
allows is not in the template.
"""

from hub_toolkit.sandbox.iam.roles import Roles

__all__ = ["Roles"]
