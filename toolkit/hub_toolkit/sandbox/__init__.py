"""The sandbox: the responder's template and handlers on one machine, without AWS.

One process serves one loopback port: AWS at ``/``, the vendors below ``/_vendors/``, control at
``/_sandbox/``.

- ``server`` starts and stops everything; ``aws_app`` and ``control`` answer requests.
- ``deploy`` reads ``template.yaml`` (``intrinsics``, ``identifiers``) and creates its resources.
- ``moto_store`` carries the AWS services that need nothing special.
"""
