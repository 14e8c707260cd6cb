"""A request's body: JSON, whole, unpacked, and never more of them in memory than there is room for."""

import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

from modelling.app.api_errors import ApiError

MAX_BODY_BYTES = 64 * 2**20
MAX_BODIES_BYTES = 256 * 2**20
FREE_BYTES = 2**16  # of each body: small requests find room while large ones take all that there is
JSON = "application/json"
WRONG_TYPE = f"Content-Type is '{{given}}'; expected {JSON}: with curl, add -H 'Content-Type: {JSON}'"
_GZIP = 16 + zlib.MAX_WBITS


class Bodies:
    """The bodies that are read, or whose requests are worked on."""

    def __init__(self, max_bytes: int = MAX_BODY_BYTES, max_all_bytes: int = MAX_BODIES_BYTES) -> None:
        """Take none yet.

        Args:
            max_bytes: of one body, after it was unpacked.
            max_all_bytes: of all bodies at a time, without the first 64 KiB of each.
        """
        self._max_bytes, self._max_all_bytes, self._held_bytes = max_bytes, max_all_bytes, 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """A request's body, which counts as taken until the block is left.

        Raises:
            ApiError: 415 where it is said to be no JSON, or packed in another way than by gzip; 413 where it
                is too large; 503 where all together are; 422 where it is cut off, or no gzip.
        """
        # Of a header that comes twice the first counts.
        headers = dict(reversed(request.headers.raw))
        self._check(headers)
        body, held = bytearray(), 0
        try:
            async for part in _unpacked(request, headers, self._max_bytes):
                body += part
                if len(body) > self._max_bytes:
                    raise self._too_large()
                grown = max(len(body) - FREE_BYTES, 0) - held
                if self._held_bytes + grown > self._max_all_bytes:
                    message = "there is no room for this request beside the others; try again later"
                    raise ApiError(503, "too_busy", message)
                held += grown
                self._held_bytes += grown
            whole = bytes(body)
            del body
            yield whole
        except ClientDisconnect as error:  # nobody reads this answer, and nothing of ours broke
            raise ApiError(422, "invalid_request", "the body was cut off; send it again") from error
        finally:
            self._held_bytes -= held

    def _check(self, headers: Mapping[bytes, bytes]) -> None:
        given = headers.get(b"content-type", b"").decode("latin-1")
        if given.partition(";")[0].strip().lower() != JSON:
            message = WRONG_TYPE.format(given=given[:100])
            raise ApiError(415, "wrong_content_type", message)
        packed = headers.get(b"content-encoding", b"identity").decode("latin-1").lower()
        if packed not in ("gzip", "identity"):
            message = f"Content-Encoding is {packed[:100]!r}; expected gzip, or none"
            raise ApiError(415, "wrong_content_type", message)
        if int(headers.get(b"content-length", 0)) > self._max_bytes:
            raise self._too_large()

    def _too_large(self) -> ApiError:
        message = f"the request is larger than {self._max_bytes:,} bytes; split it"
        return ApiError(413, "body_too_large", message, max_bytes=self._max_bytes)


async def _unpacked(request: Request, headers: Mapping[bytes, bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """The parts of a body; where gzip unpacks one to more than the limit, a part that is larger than it."""
    if headers.get(b"content-encoding", b"").lower() != b"gzip":
        async for part in request.stream():
            yield part
        return
    unpacking = zlib.decompressobj(_GZIP)
    try:
        async for part in request.stream():
            yield unpacking.decompress(part, max_bytes + 1)
    except zlib.error as error:
        raise ApiError(422, "invalid_request", f"the body is not what gzip makes: {error}") from error
    if not unpacking.eof or unpacking.unused_data:
        raise ApiError(422, "invalid_request", "the body is cut off, or more than one file of gzip")
