"""Episodes in the formats of other programs.

Packages that only one format needs are extras, imported when it is used.
"""
