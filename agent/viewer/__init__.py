"""The page that shows an episode: what the robot saw, felt, expected and was surprised by.

One page serves two uses: `doppio replay --view` serves it with its data from this machine, `--report` puts both into
one file. Everything in it comes from the log; nothing is simulated again.
"""
