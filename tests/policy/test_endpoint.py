"""Which URLs may be registered."""

from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.endpoints.url import endpoint_problem

GOOD = [
    "https://example.com",
    "https://example.com/",
    "https://example.com./",
    "https://Example.COM/hooks?team=1&x=@y",
    "HTTPS://example.com/",
    "https://example.com:8443/a/b",
    "https://example.com:65535/",
    "https://localhost/",
    "https://my_host-1.internal/",
    "https://xn--bcher-kva.example/",
    "https://1password.com/",
    "https://3.example/",
    "https://example.com/p%C3%A4th",
    "https://93.184.216.34/",
    "https://127.0.0.1/",  # its address is judged when connecting, every time
    "https://[2606:4700:4700::1111]/",
    "https://[2606:4700:4700::1111]:8443/",
    "https://[::1]/",
    "https://" + "a" * 63 + ".example/",
]
BAD = [
    # another scheme, or none
    ("ftp://example.com/", "https URL"),
    ("file:///etc/passwd", "https URL"),
    ("javascript:alert(1)", "https URL"),
    ("//example.com/", "https URL"),
    ("example.com/hooks", "https URL"),
    ("", "https URL"),
    ("http://example.com/", "FANOUT_ALLOW_HTTP"),
    # userinfo and fragment
    ("https://user@example.com/", "user name"),
    ("https://user:pass@example.com/", "user name"),
    ("https://@example.com/", "user name"),
    ("https://example.com@127.0.0.1/", "user name"),
    ("https://example.com/#top", "fragment"),
    # hosts that a parser and a socket could read differently
    ("https://2130706433/", "non-canonical"),
    ("https://0/", "non-canonical"),
    ("https://0x7f.1/", "non-canonical"),
    ("https://0x7f000001/", "non-canonical"),
    ("https://0X7F.0.0.1/", "non-canonical"),
    ("https://017700000001/", "non-canonical"),
    ("https://0177.0.0.1/", "non-canonical"),
    ("https://127.1/", "non-canonical"),
    ("https://127.0.1/", "non-canonical"),
    ("https://127.0.0.01/", "non-canonical"),
    ("https://127.0.0.1./", "non-canonical"),
    ("https://256.0.0.1/", "non-canonical"),
    ("https://1.2.3.4.5/", "non-canonical"),
    ("https://example.0x7f/", "non-canonical"),
    ("https://[0:0:0:0:0:0:0:1]/", "non-canonical"),
    ("https://[::0001]/", "non-canonical"),
    ("https://[::1]evil/", "brackets"),
    ("https://[::1]evil:443/", "brackets"),
    ("https://a[::1]/", "brackets"),
    ("https://[fe80::1%25eth0]/", "brackets"),
    ("https://[fe80::1%eth0]/", "brackets"),
    ("https://[::1/", "parsed"),
    # not a host name
    ("https://", "names no host"),
    ("https:///hooks", "names no host"),
    ("https://:443/", "names no host"),
    ("https://./", "no valid host name"),
    ("https://a..b/", "no valid host name"),
    ("https://.example.com/", "no valid host name"),
    ("https://-a.example/", "no valid host name"),
    ("https://a-.example/", "no valid host name"),
    ("https://exa$mple.com/", "no valid host name"),
    ("https://127.0.0.1%2f.example/", "no valid host name"),
    ("https://%31%32%37.0.0.x/", "no valid host name"),
    ("https://" + "a" * 64 + ".example/", "no valid host name"),
    ("https://" + "a." * 126 + "aa/", "too long"),
    # ports
    ("https://example.com:0/", "port 0"),
    ("https://example.com:65536/", "parsed"),
    ("https://example.com:-1/", "parsed"),
    ("https://example.com:http/", "parsed"),
    # characters that end a line, a header or a parser's patience
    ("https://example.com/a b", "space"),
    (" https://example.com/", "space"),
    ("https://example.com/\r\nx-evil: 1", "control"),
    ("https://exam\tple.com/", "control"),
    ("https://example.com/\x00", "control"),
    ("https://example.com\\@127.0.0.1/", "backslash"),
    ("https://bücher.example/", "non-ASCII"),
    ("https://①②⑦.0.0.1/", "non-ASCII"),
]


def test_plain_https_urls_may_be_registered() -> None:
    """Host names and canonical addresses over https are fine."""
    assert [url for url in GOOD if endpoint_problem(url, allow_http=False)] == []


def test_everything_else_is_refused_and_told_why() -> None:
    """What is wrong is said in plain words, which never repeat the URL."""
    told = [(url, words, endpoint_problem(url, allow_http=False) or "") for url, words in BAD]
    assert [one for one in told if one[1] not in one[2] or "example.com" in one[2]] == []


def test_http_is_for_those_who_allow_it() -> None:
    """allow_http permits http and no third scheme, and waives no other rule."""
    assert endpoint_problem("http://localhost:8000/", allow_http=True) is None
    assert endpoint_problem("ftp://localhost/", allow_http=True) == "is not an https URL"
    assert endpoint_problem("http://0x7f.1/", allow_http=True) is not None


def test_length_is_bounded() -> None:
    """2048 characters are the most."""
    base = "https://example.com/"
    assert endpoint_problem(base + "a" * (2048 - len(base)), allow_http=False) is None
    problem = endpoint_problem(base + "a" * (2049 - len(base)), allow_http=False)
    assert problem == "is longer than 2048 characters"


def test_a_host_name_may_have_253_characters() -> None:
    """The longest host name that DNS knows is accepted, one more is not."""
    host = "a." * 126 + "a"
    assert len(host) == 253
    assert endpoint_problem(f"https://{host}/", allow_http=False) is None


@given(st.text(max_size=40) | st.text("htps:/[]@.0x%#?\\a1", max_size=30).map("https://".__add__))
def test_no_text_breaks_it(url: str) -> None:
    """Whatever is typed, the answer is a problem in words or none."""
    problem = endpoint_problem(url, allow_http=True)
    assert problem is None or problem
