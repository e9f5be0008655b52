"""The companion command `sage-intacct`: from a fresh web services user to a pipeline.

It asks what the tap would ask, by the tap's own settings and code, and writes nothing
to Intacct. What it finds are dataclasses; only `screens` knows how they are shown.
"""
