# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the filter takes and gives; what it finds is test__ece_host_arguments'."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.eceops.platform.plugins.filter.ece_host_problems import ece_host_problems


def test_problems_come_by_host():
    fleet = {"a": {"coordinator_host": "ece", "roles": []}, "b": {"ece_host_roles": []}}
    said = ece_host_problems(fleet)
    assert said["a"] == []
    assert [sentence.split()[0] for sentence in said["b"]] == ["ece_host_coordinator_host"]


@pytest.mark.parametrize("arguments", ["nonsense", None, {"a": "nonsense"}])
def test_nonsense_is_an_error(arguments):
    with pytest.raises(AnsibleFilterError, match="ece_host_problems needs"):
        ece_host_problems(arguments)
