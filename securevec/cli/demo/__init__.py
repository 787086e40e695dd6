"""The demo: the main job, end to end, on the real parts and an invented help desk.

Every figure is measured while it runs. The labelled truth of the corpus is read for scoring only.
"""
