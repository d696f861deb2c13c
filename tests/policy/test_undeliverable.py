"""Why nothing can be sent to a platform."""

import pytest

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.policy.undeliverable import undeliverable


@pytest.mark.parametrize(
    ("enabled", "reason"),
    [(None, DeadReason.UNKNOWN_PLATFORM), (False, DeadReason.ENDPOINT_DISABLED), (True, None)],
)
def test_a_platform_is_notified_unless_it_is_unknown_or_disabled(
    *, enabled: bool | None, reason: DeadReason | None
) -> None:
    """There is a dead letter with its own reason for each, never silence."""
    assert undeliverable(enabled) is reason
