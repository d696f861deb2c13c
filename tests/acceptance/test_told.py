"""One event, three platforms: three requests, signed, byte for byte as promised."""

from hashlib import sha256

from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

PLATFORMS = ("plat_boardy", "plat_calcom", "plat_luma")


async def test_three_linked_platforms_get_exactly_three_verified_requests(
    any_installation: Installation,
) -> None:
    """Each linked platform is told once, verifiably, with its own id and one shared event id."""
    installation = any_installation
    async with Receiver() as boardy, Receiver() as calcom, Receiver() as luma:
        receivers = dict(zip(PLATFORMS, (boardy, calcom, luma), strict=True))
        secrets = {one: await installation.register(one, at) for one, at in receivers.items()}
        await installation.link("alice@example.com", *PLATFORMS)
        async with installation.worker():
            await installation.publish(disconnect("evt_8f14e45fceea"))
            for receiver in receivers.values():
                await receiver.received(1)
            await installation.settled("delivered", 3)

    ids = set()
    for platform_id, receiver in receivers.items():
        (request,) = receiver.requests
        payload = request.verify(secrets[platform_id])
        ids.add(payload["id"])
        expected = (
            f'{{"id":"{payload["id"]}","event_type":"user.calendar.disconnected",'
            f'"timestamp":"2025-11-21T15:45:00Z","platform_id":"{platform_id}",'
            '"api_version":"v1","data":{"user_email":"alice@example.com",'
            '"google_id":"105942374304","disconnected_at":"2025-11-21T15:45:00Z",'
            '"reason":"user_requested"}}'
        )
        assert request.body == expected.encode()
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["fanout-attempt"] == "1"
        assert request.headers["user-agent"].startswith("disconnect-fanout/")
        assert request.webhook_id.startswith("wh_del_")
    assert len(ids) == 1
    assert ids.pop().startswith("wh_")
    assert len({one.requests[0].webhook_id for one in receivers.values()}) == 3


async def test_an_address_is_matched_case_folded_and_told_as_published(
    installation: Installation,
) -> None:
    """A link of alice@ matches an event of ALICE@, and the webhook says what upstream wrote."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link("Alice@Example.com", "plat_luma")
        async with installation.worker():
            await installation.publish(disconnect("evt_1", "ALICE@example.COM", google_id=None))
            (request,) = await luma.received(1)
    assert request.json()["data"]["user_email"] == "ALICE@example.COM"
    assert request.json()["data"]["google_id"] is None


async def test_another_provider_is_named_as_the_last_key(installation: Installation) -> None:
    """For a provider other than google the body's data ends with it."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker():
            await installation.publish(disconnect("evt_1", provider="office365", google_id=None))
            (request,) = await luma.received(1)
    assert request.body.endswith(b'"reason":"user_requested","provider":"office365"}}')


async def test_ids_are_digests_that_do_not_show_the_event(installation: Installation) -> None:
    """Both ids are the same for the same event and platform on any worker, database and day."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker():
            await installation.publish(disconnect("evt_8f14e45fceea"))
            (request,) = await luma.received(1)
    event = sha256(b"5:event16:evt_8f14e45fceea").hexdigest()[:32]
    delivery = sha256(b"8:delivery16:evt_8f14e45fceea9:plat_luma").hexdigest()[:32]
    assert request.json()["id"] == f"wh_{event}"
    assert request.webhook_id == f"wh_del_{delivery}"
