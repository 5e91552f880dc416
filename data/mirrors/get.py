"""Gets a file by HTTP as a process of its own, which can be ended whatever it is waiting for.

`python -I get.py URL` asks whether there is an answer; `python -I get.py URL DESCRIPTOR LIMIT` adds
to an open file what it lacks, up to LIMIT bytes in all. Lines of JSON on its output say that it has
begun, how much there will be, and how it ended; it ends with its parent. It needs the standard
library alone.
"""

import io
import json
import os
import re
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

_CHUNK = 1 << 16
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416
_RETRIED_CLIENT_ERRORS = {408, 429}


class _RefusedError(Exception):
    """What is sent cannot be the file."""


class _DiskError(Exception):
    """Carries the number of the operating system's error."""


class Redirections(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but to https:// and the same scheme alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Returns the next request, and leaves the rest of this answer unread."""
        fp.close()
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in ("https", req.type):
            raise urllib.error.URLError(f"redirects to {scheme}://")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _append(url: str, part: io.FileIO, limit: int) -> None:
    size = os.fstat(part.fileno()).st_size
    headers = {"Range": f"bytes={size}-"} if size else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        sent, length = (answer.headers.get(f"Content-{name}", "") for name in ("Range", "Length"))
        is_rest = answer.status == _PARTIAL_CONTENT and sent.startswith(f"bytes {size}-")
        if size and not is_rest:  # a server that ignores Range sends all of the file
            size = part.truncate(0)
        if not re.fullmatch(r"(\s*\d{1,18}\s*)?", length, re.ASCII):
            raise _RefusedError(f"sent a Content-Length that is no number: {length}")
        total = size + int(length) if length else None
        _say(total=total)
        chunk = b""
        while True:
            size += len(chunk)
            if max(size, total or 0) > limit:
                raise _RefusedError(f"sent more than {limit} bytes, this is another file")
            _write(part, memoryview(chunk))
            # read1 hands over what has come, so that little is lost when this process is ended.
            if not (chunk := answer.read1(_CHUNK)):
                break
    if total is not None and size < total:
        raise EOFError(f"closed the connection after {size} of {total} bytes")


def _write(part: io.FileIO, chunk: memoryview) -> None:
    try:
        while chunk:
            chunk = chunk[part.write(chunk) :]
    except OSError as error:
        raise _DiskError(error.errno) from error


def _outcome(url: str, descriptor: str = "", limit: str = "0") -> dict[str, Any]:
    part = io.FileIO(int(descriptor), "ab") if descriptor else None
    try:
        if part:
            _append(url, part, int(limit))
        else:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD")).close()
    except urllib.error.HTTPError as error:
        if part and error.code == _RANGE_NOT_SATISFIABLE:
            part.truncate(0)
        retry = error.code >= 500 or error.code in _RETRIED_CLIENT_ERRORS
        return {"reason": f"HTTP {error.code} {error.reason}", "retry": retry, "answered": True}
    except _RefusedError as error:
        part.truncate(0)
        return {"reason": str(error), "retry": False}
    except _DiskError as error:
        return {"errno": error.args[0]}
    # Not even the standard library knows what all an answer may lead to.
    except Exception as error:
        text = str(getattr(error, "reason", error))
        return {"reason": text if text and text.isprintable() else f"{type(error).__name__} {text}"}
    return {"answered": True}


def _say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def _end_with_parent() -> None:
    os.read(0, 1)  # ends when nobody can write to it any more
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    urllib.request.install_opener(urllib.request.build_opener(Redirections))
    _say(begun=True)
    _say(**_outcome(*sys.argv[1:]))
