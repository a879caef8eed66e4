"""Check a stranger's bundle: is it whole, do its numbers fit together, can they be computed again?

Nothing of the bundle is executed. The work is done in a separate process with limits
(`benchbench.scoring.submission.process`); this process reads only its answer.
"""
