# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for `make docs`."""

from __future__ import annotations

import typing as t

from docutils import nodes

project = "eceops.platform"
title = html_short_title = project
extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_copy_source = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"
# A reference to nothing is an error.
nitpicky = True

# What is referred to in Ansible's own documentation, by label. Sphinx would fetch the index of all of it each time.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def refer_to_ansible(_app: t.Any, _env: t.Any, node: t.Any, text: nodes.Node) -> nodes.Node | None:
    page = PAGES.get(node["reftarget"])
    return nodes.reference("", "", text, refuri=ANSIBLE + page, internal=False) if page else None


def setup(app: t.Any) -> None:
    app.connect("missing-reference", refer_to_ansible)
