"""A bundle: results of one submitter in a form that a stranger's machine can check.

A bundle is a results folder (scores, separations, records of runs) with ``bundle.json``, which
lists every file with its hash, and ``excerpts/``, short pieces of audio from which scores can be
computed again. It is a folder or a zip file, and may be signed.
"""
