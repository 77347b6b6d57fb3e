"""Charts: a room each for bars against a target, what was and is planned, who is covered, and small maps of the towns.

Each chart is a pure function of a frame, and each frame a pure function of findings or registers. What is unknown is a
hollow row, never a bar of no length; a sign beside every colour says the same in grey print. Names reach Vega as data
only, never as an expression.
"""
