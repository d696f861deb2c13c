"""The bytes that are signed and sent."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from disconnect_events import DeadLetterV1, Provider, WebhookDataV1, WebhookV1, example

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)


def webhook(
    at: datetime = AT, google_id: str | None = "105942374304", provider: Provider = "google"
) -> WebhookV1:
    """A webhook to plat_luma."""
    return WebhookV1(
        id="wh_c2eab5cafbb049f18cd85cdbe34b9c8d",
        event_type="user.calendar.disconnected",
        timestamp=at,
        platform_id="plat_luma",
        api_version="v1",
        data=WebhookDataV1(
            user_email="alice@example.com",
            google_id=google_id,
            disconnected_at=at,
            reason="user_requested",
            provider=provider,
        ),
    )


BODY = (
    b'{"id":"wh_c2eab5cafbb049f18cd85cdbe34b9c8d","event_type":"user.calendar.disconnected",'
    b'"timestamp":"2025-11-21T15:45:00Z","platform_id":"plat_luma","api_version":"v1",'
    b'"data":{"user_email":"alice@example.com","google_id":"105942374304",'
    b'"disconnected_at":"2025-11-21T15:45:00Z","reason":"user_requested"}}'
)


def test_the_body_is_the_contracts_byte_for_byte() -> None:
    """Compact, in the order of the contract, and nothing else."""
    assert webhook().body() == BODY


@pytest.mark.parametrize("provider", ["office365", "apple"])
def test_another_provider_is_told_as_the_last_key(provider: Provider) -> None:
    """The declared extension, and a null google_id that stays visible."""
    expected = BODY.replace(b'"105942374304"', b"null")
    expected = expected.replace(b"}}", b',"provider":"%s"}}' % provider.encode())
    assert webhook(google_id=None, provider=provider).body() == expected


@pytest.mark.parametrize(
    "at",
    [
        AT.replace(microsecond=999_999),
        AT.astimezone(timezone(timedelta(hours=9))),
        AT.astimezone(timezone(-timedelta(hours=3, minutes=30))),
    ],
)
def test_instants_are_told_in_utc_and_cut_to_the_second(at: datetime) -> None:
    """Cut, not rounded: nobody is told a second that had not begun."""
    assert webhook(at=at).body() == BODY


def test_a_dead_letter_names_no_user() -> None:
    """Its body is the contract's, compact and in order."""
    assert DeadLetterV1.model_validate(example.DEAD_LETTER).body() == (
        b'{"delivery_id":"wh_del_7d793037a0760186574b0282f2f435e7","event_id":"evt_8f14e45fceea",'
        b'"platform_id":"plat_luma","reason":"exhausted","attempts":10,"last_result":"refused",'
        b'"last_status":503,"first_failed_at":"2025-11-21T15:45:01Z",'
        b'"dead_at":"2025-11-25T01:20:06Z","replays":0}'
    )
