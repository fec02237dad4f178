"""From a build's error to what was refused, to whom, why, and what lets the tests go on: pure.

Everything read here was written by others. It is shown through ``auditor.text.visible``, and gets
into a policy only where it has the strict form of the name that it claims to be.
"""
