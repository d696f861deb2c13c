"""Why nothing can be sent to a platform: asked in planning and in each sweep."""

from disconnect_fanout.domain.dead_letter import DeadReason


def undeliverable(enabled: bool | None) -> DeadReason | None:  # noqa: FBT001 - a column's value
    """Return the reason of the dead letter; None for a platform that can be notified.

    Args:
        enabled: whether the platform is; None if it is not registered, or no longer.
    """
    if enabled is None:
        return DeadReason.UNKNOWN_PLATFORM
    return None if enabled else DeadReason.ENDPOINT_DISABLED
