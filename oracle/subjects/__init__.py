"""Subjects: what the oracle judges, in this process or in one of their own.

subject    a subject, its declarations, and one call of it guarded against accidents
resolve    from the text of a user to a subject
protocol   the lines that a subject in another process reads and writes
process    a process with limits, and the subject that lives in it
worker     what runs in the process of a Python subject
ours       the reference
"""

from oracle.subjects.ours import reference, reference_update
from oracle.subjects.resolve import resolve, wrap
from oracle.subjects.subject import Reply, Subject, SubjectError

__all__ = ["Reply", "Subject", "SubjectError", "reference", "reference_update", "resolve", "wrap"]
