"""The policy suite: no event loop, no server, under a second, so that it runs at every save."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "policy",
    max_examples=20,
    deadline=None,  # a shared machine stalls; the claim is about the answer
    database=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("policy")
