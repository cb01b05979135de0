"""Messages, written once in Markdown and rendered natively for each target.

- ``template``   a playbook's template + the incident -> `Document`; values never become markup
- ``filters``    what templates can call: ``clock``, ``tally``, ``console_url``
- ``parse``      Markdown -> `Document`, once per distinct text
- ``document``   the syntax tree
- ``characters`` cleaning, measuring and shortening of text
- ``parts``      links as buttons, facts as fields
- ``slack``, ``adaptive_card``, ``adf``, ``plain``, ``q_developer``, ``email``, ``pagerduty``  the
  renderers
"""
