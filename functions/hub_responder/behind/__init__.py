"""The EC2 instances behind a resource that is none itself: a container, a task, a group.

- ``kinds``    which resources stand for instances, and why others have no agent
- ``clues``    what a finding says about the instances behind its resource
- ``places``   what AWS tells about the rest: tasks, container instances, groups, nodes
- ``answer``   what is behind a resource, of one clue or of all
- ``resolve``  the answer for a batch of incidents
- ``words``    the reasons in words; ``permissions`` what the calls need
"""
