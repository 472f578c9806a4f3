"""`If-Match` and `If-None-Match` of a request that changes something: which version the client expects."""

from __future__ import annotations

import re
from typing import Final

from tornado.httputil import HTTPHeaders

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.library.items import Expect

__all__ = ["expected"]

_VERSION: Final = re.compile(r'\s*"?([0-9]{1,15})"?\s*')


def expected(headers: HTTPHeaders) -> Expect:
    """The version that has to be there: a number, "absent" for a name that must be free, None for any.

    Raises BadInput for anything but `If-Match: "VERSION"` and `If-None-Match: *`, and for both.
    """
    match, none_match = headers.get("If-Match"), headers.get("If-None-Match")
    if none_match is not None:
        if none_match.strip() != "*" or match is not None:
            raise BadInput("If-None-Match is * here, for a name that is new, and alone.", "If-None-Match", none_match)
        return "absent"
    if match is None:
        return None
    found = _VERSION.fullmatch(match)
    if found is None:
        raise BadInput(f'If-Match is a version in quotes, such as "3", got {echoed(match, 60)}.', "If-Match", match)
    return int(found[1])
