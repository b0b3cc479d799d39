"""Files at addresses that members name: followed across the internet, and never into our own network."""

import pytest

from bot.downloads import Downloads, guarded_session
from bot.links import HOPS, LinkedFiles, linked_files
from pipelines.content import LINK, Attachment
from pipelines.errors import UserError
from tests.app.conftest import Host, says


def a_link(url: str) -> Attachment:
    return Attachment(id="link", url=f"{LINK}{url}", name="", media_type="", size_bytes=0)


async def fetched(host: Host, url: str) -> bytes:
    """Fetch as for a link, with the test's own host as the whole internet."""
    async with guarded_session(f"{host.origin}/api/") as session:
        files = LinkedFiles(Downloads(session, allowed=lambda each: each.origin() == host.origin, hops=HOPS))
        return await files.fetch(a_link(url), limit_bytes=100)


async def test_a_link_is_followed_over_its_redirects(host: Host) -> None:
    host.answers = [says(301, Location="/a"), says(302, Location=f"{host.origin}/b"), says(307, Location="c"), says()]

    assert await fetched(host, host.url) == b"bytes"

    assert [request.path for request in host.asked] == ["/files/cat.png", "/a", "/b", "/c"]
    assert not any("Authorization" in request.headers for request in host.asked)


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://169.254.169.254/latest/meta-data", id="another-host"),
        pytest.param("file:///etc/passwd", id="a-file-of-ours"),
        pytest.param("gopher://127.0.0.1:6379/_FLUSHALL", id="another-protocol"),
        pytest.param("http://u:p@127.0.0.1/", id="with-a-password"),
        pytest.param("http://[::1", id="no-address"),
        pytest.param("", id="back-to-itself"),
    ],
)
async def test_every_hop_must_be_allowed_and_they_must_end(host: Host, location: str) -> None:
    host.answers = [says(302, Location=location)]

    with pytest.raises(UserError, match="leads to no file"):
        await fetched(host, host.url)

    assert len(host.asked) <= HOPS + 1


async def test_a_page_in_place_of_a_file_is_said(host: Host) -> None:
    host.answers = [says(Content_Type="text/html")]

    with pytest.raises(UserError, match="Name the address of the file itself"):
        await fetched(host, host.url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1/", id="loopback"),
        pytest.param("http://2130706433/", id="decimal"),
        pytest.param("http://0x7f000001/", id="hexadecimal"),
        pytest.param("http://0177.0.0.1/", id="octal"),
        pytest.param("http://127.1/", id="short"),
        pytest.param("http://0.0.0.0/", id="any"),
        pytest.param("http://[::1]/", id="ipv6"),
        pytest.param("http://[::]/", id="ipv6-any"),
        pytest.param("http://[::ffff:127.0.0.1]/", id="ipv4-in-ipv6"),
        pytest.param("http://[64:ff9b::7f00:1]/", id="nat64"),
        pytest.param("http://localhost/", id="name"),
        pytest.param("http://10.0.0.1/", id="private"),
        pytest.param("http://169.254.169.254/latest/meta-data", id="metadata-service"),
        pytest.param("http://[fe80::1]/", id="link-local"),
        pytest.param("http://127.0.0.1:8321/", id="another-port"),
        pytest.param("https://127.0.0.1:80/", id="the-other-protocols-port"),
        pytest.param("ftp://127.0.0.1/", id="another-protocol"),
    ],
)
async def test_no_way_of_writing_an_address_leads_inside(url: str) -> None:
    async with guarded_session(None) as session:
        files = linked_files(session)
        assert files.has(f"{LINK}{url}")
        with pytest.raises(UserError, match="leads to no file"):
            await files.fetch(a_link(url), limit_bytes=100)
