"""One example of each message, as the documentation shows it."""

EVENT: dict[str, object] = {
    "id": "evt_8f14e45fceea",
    "event_type": "user.calendar.disconnected",
    "timestamp": "2025-11-21T15:45:00Z",
    "api_version": "v1",
    "data": {
        "user_email": "alice@example.com",
        "google_id": "105942374304",
        "provider": "google",
        "disconnected_at": "2025-11-21T15:45:00Z",
        "reason": "user_requested",
        "initiated_by": "plat_boardy",
    },
}

CONNECT: dict[str, object] = {
    "id": "evt_45c48cce2e2d",
    "event_type": "user.calendar.connected",
    "timestamp": "2025-11-01T09:30:00Z",
    "api_version": "v1",
    "data": {
        "user_email": "alice@example.com",
        "google_id": "105942374304",
        "provider": "google",
        "connected_at": "2025-11-01T09:30:00Z",
        "platform_id": "plat_luma",
    },
}

WEBHOOK: dict[str, object] = {
    "id": "wh_5d41402abc4b2a76b9719d911017c592",
    "event_type": "user.calendar.disconnected",
    "timestamp": "2025-11-21T15:45:00Z",
    "platform_id": "plat_luma",
    "api_version": "v1",
    "data": {
        "user_email": "alice@example.com",
        "google_id": "105942374304",
        "disconnected_at": "2025-11-21T15:45:00Z",
        "reason": "user_requested",
    },
}

DEAD_LETTER: dict[str, object] = {
    "delivery_id": "wh_del_7d793037a0760186574b0282f2f435e7",
    "event_id": "evt_8f14e45fceea",
    "platform_id": "plat_luma",
    "reason": "exhausted",
    "attempts": 10,
    "last_result": "refused",
    "last_status": 503,
    "first_failed_at": "2025-11-21T15:45:01Z",
    "dead_at": "2025-11-25T01:20:06Z",
    "replays": 0,
}
