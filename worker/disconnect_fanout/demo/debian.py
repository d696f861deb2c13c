"""Installing a Debian package without starting, or leaving enabled, the service that it brings."""

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from disconnect_fanout.demo.child_process import ChildFailedError

_SBIN = Path("/usr/sbin")
# 101 is policy-rc.d's "forbidden": invoke-rc.d and deb-systemd-invoke then start nothing.
_POLICY = "#!/bin/sh\n# disconnect-fanout is installing a package\nexit 101\n"
_OPTIONS = (
    *("-y", "--no-install-recommends"),
    *("-o", "DPkg::Lock::Timeout=300"),  # wait for another apt instead of failing
    *("-o", "Dpkg::Options::=--force-confold"),  # nobody is there to be asked
)


def can_install() -> bool:
    """Whether this is Debian (or a child of it) and this process may install packages."""
    is_debian = Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None
    return is_debian and os.geteuid() == 0


def install(package: str, *, units: Sequence[str]) -> None:
    """Install ``package``, starting nothing; of ``units`` disable those that came with it.

    Args:
        package: The Debian package.
        units: The services that it, or what it depends on, may bring.

    Raises:
        ChildFailedError: apt-get failed; the message has the end of what it said.
    """
    new = [unit for unit in units if not _known(unit)]
    with _no_service_starts():
        try:
            _apt_get("install", package)
        except ChildFailedError:
            # No package lists yet, as in a container image, or lists older than the mirror.
            _apt_get("update")
            _apt_get("install", package)
    for unit in new:
        _disable(unit)


def _apt_get(*args: str) -> None:
    done = subprocess.run(  # noqa: S603 - arguments of this file only
        ["apt-get", *_OPTIONS, *args],  # noqa: S607 - Debian's own, asked for by can_install
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-10:])
        raise ChildFailedError(f"apt-get {' '.join(args)} failed:\n{tail}")


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Forbid service starts by ``policy-rc.d``, and put back the one that was there."""
    policy, aside = _SBIN / "policy-rc.d", _SBIN / "policy-rc.d.aside-for-disconnect-fanout"
    folder = os.open(_SBIN, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # another install of ours may be at the same point
        _forbid(policy, aside)
        yield
    finally:
        policy.unlink(missing_ok=True)
        if aside.exists():
            aside.replace(policy)
        os.close(folder)


def _forbid(policy: Path, aside: Path) -> None:
    # One that was killed half-way left its own policy, and perhaps the machine's aside.
    if policy.exists() and policy.read_text() != _POLICY:
        policy.rename(aside)
    policy.write_text(_POLICY)
    policy.chmod(0o755)


def _known(unit: str) -> bool:
    places = (Path("/lib/systemd/system"), Path("/etc/systemd/system"), Path("/etc/init.d"))
    return any((place / unit).exists() for place in places)


def _disable(unit: str) -> None:
    """Keep ``unit`` from being started at boot, under systemd and under sysvinit."""
    service = unit.removesuffix(".service")
    for command in (["systemctl", "disable", unit], ["update-rc.d", service, "disable"]):
        if shutil.which(command[0]) is not None:
            # Either may not know the unit; that it is disabled is all that is asked.
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603
