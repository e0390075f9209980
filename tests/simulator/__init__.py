# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Elastic Cloud Enterprise's API, for tests: ``python -m simulator --dir DIR``.

From the inside out: ``state`` (an installation: tokens, runners, clock), ``world`` (that plus what tests order and
observe), ``api`` (the HTTP operations), ``contract`` (the OpenAPI description, enforced), ``server`` (connections, TLS
and the faults on them) and ``control`` (the tests' own interface, on a second port).
"""
