from hypothesis import settings

# No test is timed: a busy machine, or another worker beside this one, is no fault.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
