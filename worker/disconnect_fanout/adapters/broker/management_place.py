"""Where a broker's management API is: as configured, else beside the port that speaks AMQP."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from yarl import URL

_PORTS = {"amqp": ("http", 15672), "amqps": ("https", 15671)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where, and who asks there.

    Attributes:
        url: without credentials, and without a slash at its end.
        vhost: the one that our queues are in.
        trust: options of the AMQP URL that say whom TLS believes; the API is the same broker's.
    """

    url: str
    vhost: str
    user: str = field(repr=False)
    password: str = field(repr=False)
    trust: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """The URL, for a person."""
        return self.url

    def tls(self) -> ssl.SSLContext | bool:
        """Return whom to believe. Reads files.

        Raises:
            OSError: one of them can't be read, or is no certificate.
        """
        if not self.url.startswith("https:"):
            return True
        given = self.trust
        context = ssl.create_default_context(
            cafile=given.get("cafile"), capath=given.get("capath"), cadata=given.get("cadata")
        )
        if "certfile" in given:
            context.load_cert_chain(given["certfile"], given.get("keyfile"))
        if given.get("no_verify_ssl", "0") != "0":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def place_of(amqp_url: str, management_url: str | None) -> Place:
    """Return it.

    Args:
        amqp_url: names the broker, the vhost, and who asks.
        management_url: another place; a user and a password in it go before those of AMQP.
    """
    amqp = URL(amqp_url)
    given = _beside(amqp) if management_url is None else URL(management_url)
    user, password = amqp.user or "guest", amqp.password or "guest"
    if given.user is not None:
        user, password = given.user, given.password or ""
    place = given.with_user(None).with_query(None).with_fragment(None)
    vhost = amqp.path[1:].replace("%2F", "/") or "/"
    return Place(str(place).rstrip("/"), vhost, user, password, dict(amqp.query))


def _beside(amqp: URL) -> URL:
    scheme, port = _PORTS[amqp.scheme]
    return URL.build(scheme=scheme, host=amqp.host or "", port=port)
