"""A platform that keeps books: each request that came, and whether it took it."""

from collections.abc import Callable, Mapping
from hashlib import sha256

from tests.faults.ledger import Name, Receipt
from tests.harness.servers.answer import Answer, Step
from tests.harness.servers.received import Received
from tests.harness.servers.receiver import Receiver

from disconnect_fanout.demo.webhook_verifier import WebhookVerifier

Behaviour = Step | Callable[[Received], Step]
GOOD = Answer(delay=0.02)


class Platform:
    """One receiver with its secret.

    Attributes:
        behaviour: how it answers, for ever or request by request; it may change half-way.
        strict: a signature of another hour is wrong, as Standard Webhooks say.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.secret = ""
        self.behaviour: Behaviour = GOOD
        self.strict = True
        self._taken: set[tuple[int, int]] = set()
        self.receivers = [Receiver(self._answers(0))]

    @property
    def receiver(self) -> Receiver:
        """Where it receives now; one that moves has several in its time."""
        return self.receivers[-1]

    @property
    def requests(self) -> list[Received]:
        """All that came, wherever."""
        return [one for receiver in self.receivers for one in receiver.requests]

    def move(self, host: str) -> Receiver:
        """Receive on another address of this machine, on the same port, from now on."""
        port = self.receiver.port
        self.receivers.append(Receiver(self._answers(len(self.receivers)), host=host, port=port))
        return self.receiver

    def receipts(self, names: Mapping[str, Name]) -> list[Receipt]:
        """Return a receipt for each request; ``names`` gives those of the webhook ids."""
        verifier = WebhookVerifier(self.secret)
        return [
            self._receipt(one, place, names, verifier)
            for place, receiver in enumerate(self.receivers)
            for one in receiver.requests
        ]

    def _answers(self, place: int) -> Callable[[Received], Step]:
        def answer(request: Received) -> Step:
            step = self.behaviour(request) if callable(self.behaviour) else self.behaviour
            given = Answer(status=step) if isinstance(step, int) else step
            if takes(given):
                self._taken.add((place, request.number))
            return given

        return answer

    def _receipt(
        self, one: Received, place: int, names: Mapping[str, Name], verifier: WebhookVerifier
    ) -> Receipt:
        headers = {name.lower(): value for name, value in one.headers.items()}
        now = one.wall if self.strict else float(headers["webhook-timestamp"])
        return Receipt(
            name=names.get(one.webhook_id, Name(one.webhook_id, self.name)),
            attempt=int(headers["fanout-attempt"]),
            replay=headers.get("fanout-replay") == "true",
            verified=verifier.problem(headers, one.body, now) is None,
            accepted=(place, one.number) in self._taken,
            at=one.at,
            body=sha256(one.body).hexdigest(),
        )


def takes(answer: Answer) -> bool:
    """Whether a platform that answers so has taken the webhook: its head says so."""
    broken = answer.hang or answer.reset or answer.raw is not None
    return answer.status // 100 == 2 and not broken
