"""Member accounts: who calls in which account, and what is there to look up or to start.

- ``accounts``     STS: roles that can be assumed, and whose key signs a request
- ``ec2``          the instances of all accounts and regions, as ``PUT /_sandbox/ec2/instances``
  gives them; DescribeInstances and DescribeImages
- ``ecs``          tasks and container instances, which lead to instances
- ``autoscaling``  groups of instances
- ``tagging``      GetResources over these instances
- ``run_command``  Systems Manager's commands on these instances
- ``inspector``    what Inspector tells of findings that Security Hub holds
- ``query``, ``cbor``  two of AWS's protocols
"""
