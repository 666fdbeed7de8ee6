"""uv: the resolver, and what installs."""

import os
import re
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from request import Failure, Request, Unreachable, check_size, say, too_large
from volume import size

UV = "/opt/vivarium/uv"
INDEX = Path("/index")  # of the package index: username, password, ca.crt; each may be missing
PROGRESS = re.compile(r"\s*(Resolved|Downloading|Downloaded|Prepared|Installed|Bytecode compiled) ")
NETWORK = re.compile(
    r"request failed after \d+ retries|error sending request|error decoding response body"
    r"|operation timed out|network timeout|HTTP status server error|429 Too Many Requests",
    re.IGNORECASE,
)


def run_uv(arguments: list[str], request: Request, folder: Path) -> None:
    """Runs uv to its end, with an eye on what it takes of the volume. Raises Failure or Unreachable with its words."""
    command = [UV, *arguments, "--python", sys.executable, "--default-index", f"packages={request.index}"]
    uv = subprocess.Popen(
        command,
        cwd=folder,
        env=environment_of_uv(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        words = "".join(follow(uv, request, folder))
    finally:
        if uv.poll() is None:
            os.killpg(uv.pid, signal.SIGKILL)
        uv.wait()
        assert uv.stderr
        uv.stderr.close()
    if uv.returncode == -signal.SIGXFSZ:
        raise too_large(request)  # by one file
    if uv.returncode:
        why = without_secrets(words.strip()) or f"uv ended with code {uv.returncode} and did not say why."
        raise Unreachable(why) if is_network_failure(words) else Failure(why)


def is_network_failure(words: str) -> bool:
    """Whether uv says that the index could not be reached, and not that it lacks what was asked for."""
    text = " ".join(words.split())
    return "No solution found" not in text and NETWORK.search(text) is not None


def follow(uv: "subprocess.Popen[bytes]", request: Request, folder: Path) -> Iterator[str]:
    """Repeats how far uv says it is; yields the other lines."""
    assert uv.stderr
    look, rest = 0.0, b""
    while True:
        if time.monotonic() >= look:
            began = time.monotonic()
            check_size(max(size(folder / "cache"), size(folder / "made")), request)
            look = time.monotonic() + max(0.5, 4 * (time.monotonic() - began))
        if not select.select([uv.stderr], [], [], 0.25)[0]:
            continue
        data = os.read(uv.stderr.fileno(), 65_536)
        *lines, rest = (rest + data).split(b"\n")
        for line in [*lines, *([] if data else [rest])]:
            text = line.decode(errors="replace")
            if PROGRESS.match(text):
                say(without_secrets(text.strip()))
            elif not text.startswith("Using CPython "):
                yield f"{text}\n"
        if not data:
            uv.wait()
            return


def environment_of_uv(folder: Path) -> dict[str, str]:
    for name in ("cache", "temporary"):
        (folder / name).mkdir(exist_ok=True)
    certificates = folder / "certificates.pem"
    if not certificates.exists():
        certificates.write_bytes(b"\n".join(authorities()))
    credentials = {
        f"UV_INDEX_PACKAGES_{name.upper()}": value for name in ("username", "password") if (value := secret(name))
    }
    return credentials | {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "NETRC": os.devnull,
        "SSL_CERT_FILE": str(certificates),
        "PYC_INVALIDATION_MODE": "UNCHECKED_HASH",
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_CONCURRENT_DOWNLOADS": "8",
        "UV_CONCURRENT_INSTALLS": "2",
        "UV_KEYRING_PROVIDER": "disabled",
        "UV_LINK_MODE": "hardlink",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def authorities() -> Iterator[bytes]:
    """The system's certificates, and the index's own."""
    paths = ssl.get_default_verify_paths()
    for path in (
        os.environ.get("SSL_CERT_FILE") or paths.cafile or "/etc/ssl/certs/ca-certificates.crt",
        INDEX / "ca.crt",
    ):
        try:
            yield Path(path).read_bytes()
        except FileNotFoundError:
            pass


def secret(name: str) -> str:
    try:
        return (INDEX / name).read_text().strip()
    except FileNotFoundError:
        return ""


def without_secrets(text: str) -> str:
    password = secret("password")
    return text.replace(password, "****") if password else text
