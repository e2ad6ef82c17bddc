"""The fast mind's model of the world: what it feels becomes a latent, the latent predicts, predictions choose actions.

Read in this order: features, encoders, memory, predictor, heads, prior, planning, surprise; then losses and training.
`docs/world-model.md` has a picture. Acting needs numpy alone; torch is imported only to train.
"""
