"""Why an event was not published, and what to do about it."""


class PublishFailed(Exception):
    """An event was not published, or may not have been. Says what to do; names no user.

    Attributes:
        event_id: publish again under the same id: it is told once.
    """

    def __init__(self, event_id: str, words: str) -> None:
        super().__init__(words)
        self.event_id = event_id


class EventTooLarge(PublishFailed):
    """It is larger than the worker takes; nothing was sent."""


class NobodyListens(PublishFailed):
    """No queue took the event: nobody would be told. It is stored nowhere."""


class BrokerRefused(PublishFailed):
    """The broker does not let this user in, or not publish. Trying again would not help."""


class NotConfirmed(PublishFailed):
    """Time is up.

    Attributes:
        sent: it may have arrived all the same; without, it has not.
    """

    def __init__(self, event_id: str, words: str, *, sent: bool) -> None:
        super().__init__(event_id, words)
        self.sent = sent
