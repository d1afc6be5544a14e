"""The measures, each in a module of its own: subjects and cases in, a section of the report out.

`overlap`, `diversity` and `repetition` are what texts are counted by; the others ask subjects.
"""
