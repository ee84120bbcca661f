"""What an attacker asks for, with requests that no library tidies up first."""

import base64
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.slow
PLAIN = Path(__file__).parent / "plain_server.py"
Serve = Callable[..., Any]
NAME = "Cookie: hoijax_annotator=anna"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


class Answer(NamedTuple):
    status: int
    head: str
    body: str


def ask(url: str, target: str, *headers: str, method: str = "GET", host: str = "") -> Answer:
    """Sends exactly this request target and these headers."""
    place = urlsplit(url)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or place.netloc}", "Connection: close", *headers, "", ""]
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        data = b""
        while block := connection.recv(65536):
            data += block
            if data.startswith(b"HTTP/1.1 101"):
                break
    head, _, body = data.decode("latin-1").partition("\r\n\r\n")
    return Answer(int(head.split()[1]), head, body)


def upgrade(url: str, *headers: str, host: str = "", query: str = "") -> Answer:
    """Asks for the pages' websocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    asked = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}")
    return ask(url, SOCKET + query, *asked, *headers, host=host)


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name}


UPWARDS = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..\\", "..%5c", "....//", "..%00/", "..%c0%af")
PREFIXES = ("/", "/blob/", "/count/", "/count?item=", "/favicon.ico/")


def test_no_path_leads_out_of_the_tree(serve: Serve, tree: Path) -> None:
    secret = tree.parent / "secret.txt"
    secret.write_text("the secret outside of the tree")
    server = serve(tree, program=PLAIN)
    page = ask(server.url, "/name").body
    assets = {re.sub(r"[^/]*$", "", path) for path in re.findall(r'["(](/_nicegui/[^"\s)]+)', page)}
    assert len(assets) > 2
    before = listing(tree)
    for prefix in (*PREFIXES, *sorted(assets)):
        for target in ("/etc/passwd", "%2fetc%2fpasswd", "//etc/passwd", "%00/etc/passwd", "A" * 9000, "ü\x85"):
            assert_nothing(ask(server.url, prefix + target, NAME), prefix + target)
        for up in UPWARDS:
            for target in (up * 12 + "etc/passwd", up * 12 + str(secret).strip("/"), up + "secret.txt"):
                assert_nothing(ask(server.url, prefix + target, NAME), prefix + target)
    for target in (
        "/ball/hold_0/image.jpg",
        "/annotations.sqlite",
        "/blob/image.jpg",
        f"/blob/{tree}/annotations.sqlite",
    ):
        assert ask(server.url, target, NAME).status == 404
    for method in ("PUT", "DELETE", "POST", "PATCH", "MOVE", "TRACE", "OPTIONS"):
        for target in ("/", "/count?item=ball%2Fhold_0", "/ball/hold_0/image.jpg", "/../secret.txt"):
            assert ask(server.url, target, NAME, method=method).status in (400, 404, 405), (method, target)
    assert listing(tree) == before
    assert secret.read_text() == "the secret outside of the tree"
    assert ask(server.url, "/", NAME).status == 200


def assert_nothing(answer: Answer, target: str) -> None:
    assert "the secret outside" not in answer.body, target
    assert "root:" not in answer.body, target
    assert answer.status in (200, 307, 308, 400, 403, 404), (target, answer.status)
    assert "Traceback" not in answer.body, target


def test_pages_elsewhere_and_other_names_are_refused(serve: Serve, tree: Path) -> None:
    server = serve(tree, program=PLAIN)
    netloc = urlsplit(server.url).netloc
    port = netloc.rpartition(":")[2]
    for host in (
        f"evil.example:{port}",
        "evil.example",
        f"localhost.evil.example:{port}",
        "[",
        f"localhost@evil:{port}",
    ):
        assert ask(server.url, "/", NAME, host=host).status in (400, 403), host
        assert upgrade(server.url, NAME, host=host).status in (400, 403), host
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert ask(server.url, "/", NAME, host=host).status == 200
    for origin in (
        "http://evil.example",
        "null",
        f"http://{netloc}.evil.example",
        f"http://localhost:{int(port) + 1}",
        "",
    ):
        assert ask(server.url, "/", NAME, f"Origin: {origin}").status == 403, origin
        assert upgrade(server.url, NAME, f"Origin: {origin}").status == 403, origin
    assert upgrade(server.url, NAME, f"Origin: http://{netloc}").status == 101
    sent = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
    assert ask(server.url, "/name?is=mallory", *sent).status == 403
    sent = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
    assert ask(server.url, "/", NAME, *sent).status == 403
    link = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
    assert ask(server.url, "/", NAME, *link).status == 200
    chosen = ask(server.url, "/name?is=mallory", *link)
    assert chosen.status == 200
    assert "set-cookie: hoijax_annotator" not in chosen.head.lower()
    assert "x-frame-options: DENY" in chosen.head


def test_names_and_addresses_are_checked(serve: Serve, tree: Path) -> None:
    server = serve(tree, program=PLAIN)
    good = ask(server.url, "/name?is=anna&after=%2Fcount")
    assert "location: /count" in good.head
    assert "set-cookie: hoijax_annotator=anna" in good.head.lower()
    for after in (
        "//evil.example",
        "/\\evil.example",
        "http://evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
        "",
    ):
        answer = ask(server.url, f"/name?is=anna&after={after}")
        assert "location: /\r\n" in answer.head + "\r\n", after
    for name in (
        "a%0d%0aSet-Cookie:%20b=c",
        "<script>alert(1)</script>",
        "anna%20b",
        "../..",
        "%00",
        "a" * 41,
        "%c3%bc",
    ):
        answer = ask(server.url, f"/name?is={name}")
        assert answer.status == 200, name
        assert "set-cookie: hoijax" not in answer.head.lower(), name
        assert "<script>alert" not in answer.body
    for cookie in ("../../etc", '"<b>"', "a;b", "=", "x" * 5000, "ü"):
        assert ask(server.url, "/", f"Cookie: hoijax_annotator={cookie}").status in (200, 307), cookie


def test_beyond_this_machine_a_token_is_needed(serve: Serve, tree: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    server = serve(tree, "--host=0.0.0.0", f"--token_file={file}")
    token = file.read_text().strip()
    assert file.stat().st_mode & 0o077 == 0
    assert server.url.endswith(f"?token={token}")
    url = f"http://127.0.0.1:{urlsplit(server.url).port}/"
    cookie = f"Cookie: a=b; hoijax_token={token}; hoijax_annotator=anna"
    for target in ("/", "/name", "/filter", "/blob/x", "/_nicegui/x", "/favicon.ico", "/nothing"):
        assert ask(url, target, NAME).status == 403, target
        assert ask(url, f"{target}?token=wrong", NAME).status == 403, target
        assert ask(url, target, f"Cookie: hoijax_token={token[:-1]}").status == 403, target
        assert ask(url, target, "Cookie: hoijax_token=").status == 403, target
        assert ask(url, target, cookie).status != 403, target
    assert upgrade(url).status == 403
    assert upgrade(url, query="&token=").status == 403
    assert upgrade(url, cookie).status == 101
    assert upgrade(url, cookie, "Origin: http://evil.example").status == 403
    first = ask(url, f"/name?after=%2Fcount&token={token}")
    assert first.status == 303
    assert "location: /name?after=%2Fcount\r\n" in first.head + "\r\n"
    assert f"hoijax_token={token}; Path=/; HttpOnly" in first.head
    assert "location: /evil.example" in ask(url, f"//evil.example?token={token}").head
    assert "referrer-policy: same-origin" in ask(url, "/", cookie).head
    assert token not in ask(url, "/", cookie).body
    assert server.log.read_text().count(token) == 1  # the address that is printed, no log of requests


def test_one_server_a_store(serve: Serve, tree: Path, tmp_path: Path) -> None:
    serve(tree)
    link = tmp_path / "link.sqlite"
    link.symlink_to(tree / "annotations.sqlite")
    for flag in ((), (f"--store={link}",)):
        with pytest.raises(RuntimeError, match="another run is at work"):
            serve(tree, *flag)
