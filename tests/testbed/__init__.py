# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test world: start it, and run Ansible in it.

``simulator`` (a running ECE simulator), ``hosts`` (folders of this machine that are hosts), ``play`` (Ansible from the
built collection, in a HOME of its own), ``fixtures`` (these for pytest) and ``python -m testbed`` (simulator and hosts
for shell scripts). ``engine/`` and ``installer/`` stand in for a host's container engine and for Elastic's installer;
``ECE_INSTALLER=/path`` runs Elastic's own, unmodified, instead. What tests import needs the standard library and
``requests`` only; the simulator's own requirements are its interpreter's, ``SIMULATOR_PYTHON``.
"""
