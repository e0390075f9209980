# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test world: start it, and run Ansible in it.

``simulator`` (a running ECE simulator), ``play`` (Ansible from the built collection, in a HOME of its own),
``fixtures`` (both for pytest) and ``python -m testbed`` (the simulator for shell scripts). What tests import needs the
standard library and ``requests`` only; the simulator's own requirements are its interpreter's, ``SIMULATOR_PYTHON``.
"""
