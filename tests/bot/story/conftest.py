"""Property tests on a busy machine: what is slow there is not wrong."""

from hypothesis import HealthCheck, settings

settings.register_profile("story", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("story")
