# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find secrets in content: plain, URL-encoded, in base64, and in a module that Ansible has packed."""

from __future__ import annotations

import base64
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from urllib.parse import quote

# A zip in base64: how Ansible packs a module and what it imports.
_PACKED = re.compile(rb"UEsDB[A-Za-z0-9+/]{100,}={0,2}")


class Needles:
    """Secrets, to be looked for in content."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = [form for secret in secrets for form in _forms(secret)]

    def are_in(self, content: bytes) -> bool:
        """Whether one of the secrets is in it, in any form."""
        return any(form in layer for layer in _layers(content) for form in self._forms)


def _forms(secret: str) -> Iterator[bytes]:
    """The secret as it may be written. Within longer base64 its letters depend on where it begins, modulo three."""
    raw = secret.encode()
    yield raw
    yield quote(secret, safe="").encode()
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw)
        # Without the letters that also hold bits of a neighbour.
        whole = encoded[(0, 2, 3)[lead] : (lead + len(raw)) * 8 // 6]
        yield whole
        yield whole.translate(bytes.maketrans(b"+/", b"-_"))


def _layers(content: bytes) -> Iterator[bytes]:
    """The content itself, and what is packed in it."""
    yield content
    for archive in [content, *(_decoded(text) for text in _PACKED.findall(content))]:
        # One that was seen half-written was seen whole, too, or never was.
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(BytesIO(archive)) as members:
            yield from (members.read(name) for name in members.namelist())


def _decoded(text: bytes) -> bytes:
    return base64.b64decode(text[: len(text) // 4 * 4])
