"""One way to ask a server: honest name, time limits, clear sentences, secrets only where they belong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

import dere
from dere.download.politeness import PASSING_STATUSES, DownloadError, Passing, Politeness, persistently

_RANGE_NOT_SATISFIABLE = 416


class Client:
    """A session with a server.

    Parameters
    ----------
    politeness
        Waits and patience.
    tokens
        Secret by the start of the addresses that may see it; a redirect to another host never carries it along.
    sleep
        Waits some seconds (tests count instead).
    """

    def __init__(
        self,
        politeness: Politeness | None = None,
        tokens: Mapping[str, str] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.politeness = politeness or Politeness()
        self.sleep = sleep
        self._tokens = dict(tokens or {})
        self._session = requests.Session()
        # Bytes as they are stored: with a compressed transfer neither sizes nor ranges would fit.
        self._session.headers.update({"User-Agent": f"dere/{dere.__version__}", "Accept-Encoding": "identity"})

    @contextmanager
    def open(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[requests.Response]:
        """Ask once and give the answer, its body unread; status 416 is given too.

        Raises
        ------
        Passing
            When the failure may pass (no connection, time limit, busy server).
        DownloadError
            When it will not.
        """
        limits = (self.politeness.connect_timeout, self.politeness.read_timeout)
        try:
            response = self._session.get(
                url, headers={**self._secret(url), **(headers or {})}, stream=True, timeout=limits
            )
        except requests.exceptions.SSLError as error:
            raise DownloadError(
                f"{url}: the certificate of the server is not trusted ({_brief(error)}); correct the clock or the "
                "certificates of this machine"
            ) from None
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise Passing(f"no answer ({_brief(error)})") from None
        except requests.RequestException as error:
            raise DownloadError(f"{url} cannot be asked for ({_brief(error)}); correct the address") from None
        with response:
            _check_redirects(url, response)
            _check_status(url, response)
            yield response

    def json(self, url: str) -> tuple[Any, str | None]:
        """Ask for JSON, patiently; return it and the address of its next page, if there is one.

        Raises
        ------
        DownloadError
            When there is no answer, or it is not JSON.
        """
        return persistently(lambda: self._json_once(url), url, self.politeness, sleep=self.sleep)

    def _json_once(self, url: str) -> tuple[Any, str | None]:
        with self.open(url) as response:
            try:
                content = response.json()
            except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError) as error:
                raise Passing(f"the connection broke ({_brief(error)})") from None
            except ValueError:
                raise DownloadError(
                    f"{url} answered with something that is not JSON; the service has changed or a login page is in "
                    "the way: open the address in a browser"
                ) from None
            return content, response.links.get("next", {}).get("url")

    def _secret(self, url: str) -> dict[str, str]:
        token = next((token for start, token in self._tokens.items() if url.startswith(start)), None)
        return {"Authorization": f"Bearer {token}"} if token else {}


@contextmanager
def breaking() -> Iterator[None]:
    """Turn what can happen while a body is read into :class:`Passing`."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise Passing(f"the connection broke ({_brief(error)})") from None


def _check_redirects(url: str, response: requests.Response) -> None:
    hops = [hop.url for hop in (*response.history[1:], response)]
    if urlsplit(url).scheme == "https" and any(urlsplit(hop).scheme != "https" for hop in hops):
        raise DownloadError(
            f"{url} leads to an address without encryption ({urlsplit(response.url).netloc}); it is not followed: "
            "download the file in a browser"
        )


def _check_status(url: str, response: requests.Response) -> None:
    status = response.status_code
    if status in (200, 206, _RANGE_NOT_SATISFIABLE):
        return
    reason = f"the server answered {status} {response.reason or ''}".rstrip()
    if status in PASSING_STATUSES:
        raise Passing(reason, response.headers.get("Retry-After"))
    remedy = {
        401: "it needs a login: see where to get it in docs/downloads.md; for Hugging Face set HF_TOKEN",
        403: "access is refused: accept the terms on its page, and for Hugging Face set HF_TOKEN",
        404: "it is not there any more: look at the page of the data set and correct the version",
        410: "it was withdrawn: look at the page of the data set",
    }.get(status, "open the address in a browser to see why")
    raise DownloadError(f"{url}: {reason}; {remedy}")


def _brief(error: BaseException) -> str:
    """Return the innermost reason in one short line; the layers above it repeat it with addresses of objects."""
    inner: BaseException | None = error
    while inner is not None:
        error, inner = (
            inner,
            next(
                (part for part in (getattr(inner, "reason", None), *inner.args) if isinstance(part, BaseException)),
                None,
            ),
        )
    text = re.sub(r"^\w+\(.*?\): ", "", " ".join(str(error).split())) or type(error).__name__
    return text if len(text) <= 160 else f"{text[:157]}..."
