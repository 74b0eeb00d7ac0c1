"""Test vectors for everyone: cases with proven answers, as JSON that any language can read without this project.

records     what the files hold, and their JSON Schema
drawing     small cases in the vocabulary of a first lesson
certifying  the proven enclosure of every number, and what rounding may do to it
targets     the faults that a set is to catch
choosing    the smallest set of cases that catches them
exporting   the recipe of the published set, and sets of one's own
verifying   answers held against a set; it needs neither torch nor NumPy
"""
