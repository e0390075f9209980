# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every command and example of the documents in the artifact runs as it stands, in their order.

Where a document names a coordinator, a CA, an address or a secret, the test's world has another one: see ``reader``.
What is for a clone, tests/tooling/newcomer.py runs.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from unittest.mock import ANY

import pytest
import yaml

from testbed.needles import Needles
from testbed.reader import Reader
from tooling import documents, stage

pytestmark = pytest.mark.oldest

COLLECTION = Path(os.environ["TESTBED_COLLECTIONS_PATH"]) / "ansible_collections/eceops/platform"
README, ROLE = "README.md", "roles/ece_host/README.md"
GUIDES = sorted(str(path.relative_to(COLLECTION)) for path in COLLECTION.glob("docs/docsite/rst/*.rst"))
DOCUMENTS = [README, ROLE, *GUIDES]

GUIDE = "docs/docsite/rst/guide_{}.rst"
SECRETS = "/mnt/data/elastic/bootstrap-state/bootstrap-secrets.json"
ANOTHERS_HOST = "for a shell on a host, and these hosts are folders"
# What does not run here, by document: commands, and files that no command uses
NOT_RUN: dict[tuple[str, str], str] = {
    (README, "ansible-galaxy collection install eceops.platform"): "it is not on Galaxy yet",
    (ROLE, "ss -ltnp"): ANOTHERS_HOST,
    (GUIDE.format("automation"), "ansible-builder build --file execution-environment.yml --tag ece-ee"): (
        "needs the internet, and minutes; .github/workflows/nightly.yml builds it"
    ),
    (GUIDE.format("automation"), "credential_type_injector.yml"): "AWX reads it",
    (GUIDE.format("automation"), "credential_type_input.yml"): "AWX reads it",
    (GUIDE.format("migrate"), "before/inventory.yml"): "Elastic's role reads it",
    (GUIDE.format("recover"), "docker ps --filter name=frc-runners-runner --format '{{.Image}}'"): ANOTHERS_HOST,
    (
        GUIDE.format("recover"),
        f"sudo grep -o '\"emergency_all_roles_except_allocator_token[^,}}]*' {SECRETS}",
    ): ANOTHERS_HOST,
}
# What prints a token that it mints, as the document says
PRINTS_A_TOKEN = {
    (README, "ansible localhost -m eceops.platform.ece_roles_token -a 'roles=allocator ca_path=/etc/ece/ca.pem'")
}
# Hosts that are connected already, and how they are listed
MANAGER, ALLOCATOR = ["coordinator", "director", "proxy"], ["allocator"]
CONNECTED = {
    **{document: {"manager-1": {"roles": MANAGER}, "allocator-1": {"roles": ALLOCATOR}} for document in DOCUMENTS},
    GUIDE.format("migrate"): {
        "manager-1": {"roles": MANAGER, "zone": "zone-1"},
        "allocator-1": {"roles": ALLOCATOR, "zone": "zone-1"},
        "allocator-2": {"roles": ["allocator", "proxy"], "zone": "zone-2"},
    },
}

VAULT_PASSWORD = "fake-vault-password"
# Two persistent tokens of the documents
TOKEN_IDS = ["4c8990df-1fb7-4820-b868-6bc9e8860814", "5f9cad2f-c6e7-4ee2-8f6e-53225df45be5"]
ADDRESSES = {
    **{f"manager-{number}": f"192.168.44.1{number}" for number in (1, 2, 3)},
    **{f"allocator-{number}": f"192.168.44.2{number}" for number in (1, 2, 3)},
}
REPOSITORY = "https://github.com/eceops/ansible-platform.git"
FILE_NAME = re.compile(r"# ([\w./-]+\.ya?ml)\n")
TOKEN = re.compile(r"\beyJ[\w-]{20,}\.[\w-]+\.[\w-]+")
VARS_PLUGINS = Path(__file__).parents[1] / "testbed/vars_plugins"


@pytest.fixture
def hosts(make_hosts):
    """Hosts that any inventory may name."""
    return {host.name: host for host in make_hosts(*ADDRESSES)}


@pytest.fixture
def here(simulator, hosts, reader):
    """What is here instead of what stands in the documents."""
    return {
        "https://coordinator.example.com:12443": simulator.url,
        "coordinator.example.com:12443": simulator.url.removeprefix("https://"),
        "coordinator.example.com": simulator.coordinator_host,
        "/etc/ece/ca.pem": simulator.ca_path,
        # There is no secret store between the controller, where it is minted, and the host.
        "/run/ece/roles-token": f"{reader.folder}/home/allocator-token",
        **{address: hosts[name].ip for name, address in ADDRESSES.items()},
    }


@pytest.fixture
def reader(run, simulator, hosts, tmp_path):
    """Who has the collection, and git; the project's repository is this checkout."""
    (tmp_path / "hosts.json").write_text(json.dumps({name: host.variables for name, host in hosts.items()}))
    vault = {
        "vault_ece_password": simulator.password,
        "emergency_token": simulator.secrets()["emergency_all_roles_except_allocator_token"]["token"],
    }
    (tmp_path / "vault.json").write_text(json.dumps(vault))
    (tmp_path / "editor").write_text(f'#!/bin/sh\ncat {tmp_path}/vault.json > "$1"\n')
    (tmp_path / "editor").chmod(0o755)
    origin = stage.repository(stage.ROOT, tmp_path / "origin")
    with run.place() as (folder, environment):
        (folder / "home" / ".gitconfig").write_text(f'[url "file://{origin}"]\n  insteadOf = {REPOSITORY}\n')
        environment |= {
            # Where a user's collections lie: what a document installs goes there, and never to the artifact's place.
            "ANSIBLE_COLLECTIONS_PATH": f"{folder}/home/.ansible/collections:{run.collections_path}",
            "EDITOR": str(tmp_path / "editor"),
            "PAGER": "cat",
            "ANSIBLE_VARS_PLUGINS": str(VARS_PLUGINS),
            "TESTBED_HOSTS": str(tmp_path / "hosts.json"),
        }
        asked = {
            "EC_PASS": simulator.password,
            "EC_API_KEY": simulator.api_key,
            "TOKEN_VAULT_PASSWORD": VAULT_PASSWORD,
        }
        yield Reader(folder, environment, VAULT_PASSWORD, asked)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_shows_runs_as_it_stands(reader, simulator, hosts, here, document):
    blocks = documents.read(COLLECTION / document)
    shown = "".join(block.text for block in blocks)
    # Of what the README tells its readers to make, what this document does not
    if "# ece_api.yml\n" not in shown:
        reader.write("ece_api.yml", json.dumps({"ece_api": simulator.ece_api}))
    if "ansible-vault create " not in shown:
        assert reader.run("ansible-vault create vault.yml") == (0, ANY)
    simulator.seed_tokens(["proxy"], token_ids=TOKEN_IDS)
    for name, values in CONNECTED[document].items():
        simulator.put_runner(hosts[name].ip, **values)
    simulator.clear_journal()
    secrets = [simulator.password, simulator.api_key, *(token["token"] for token in simulator.secrets().values())]
    done, files, printing = set(), set(), set()
    output = ""
    for block in blocks:
        text = to_run(block, document, done)
        done.update(block.commands)
        for written, value in here.items():
            text = text.replace(written, value)
        name = FILE_NAME.match(text)
        if block.language == "text":
            for part in filter(str.strip, text.split("...\n")):
                about = f"{document}, line {block.line}: this is not printed:\n{part}\n\n{output}"
                assert words(part) in words(output), about
        elif block.language == documents.YAML and name:
            reader.write(name[1], text)
            files.add(name[1])
        elif text and block.language in (documents.SHELL, documents.YAML):
            commands = text if block.language == documents.SHELL else on_the_spot(text, reader, simulator)
            code, output = reader.run(commands)
            # It would be used instead of the artifact.
            stage.remove(reader.folder / "home/.ansible/collections")
            about = f"{document}, line {block.line}: exit code {code}\n{text}\n\n{output}"
            assert code == 0, about
            assert not Needles(secrets).are_in(output.encode()), about
            if TOKEN.search(output):
                printing.update(block.commands)
    # Ansible finds some files by itself.
    unused = {name for name in files if not any(name in command for command in done) and "_vars/" not in name}
    not_run = {exception for name, exception in NOT_RUN if name == document}
    assert not_run - done == unused, "an example that nothing uses, or an exception of no use"
    assert printing == {command for name, command in PRINTS_A_TOKEN if name == document}
    assert simulator.journal() != []
    named = {name for name in hosts if re.search(rf"^ +{name}:", shown, re.MULTILINE)}
    listed = {runner["runner_id"] for runner in simulator.state()["runners"] if runner["connected"]}
    assert {name for name in named if hosts[name].ip not in listed} == set()
    assert not named or named - CONNECTED[document].keys(), "none of its hosts has joined"


def words(text):
    """What is said, however it is broken into lines, or Ansible shows lists."""
    return " ".join(re.sub(r'[][",]', "", text).split())


def to_run(block, document, done):
    """What of a block is to be run: all of it, but for the exceptions, and what sentences only say once more."""
    if block.is_for_a_clone:
        assert document == README or block.in_sentence, f"nobody runs this: {block.text}"
        return ""
    left_out = {
        command
        for command in block.commands
        if (document, command) in NOT_RUN or (block.in_sentence and command in done)
    }
    return "\n".join(command for command in block.commands if command not in left_out) if left_out else block.text


def on_the_spot(text, reader, simulator):
    """The command that runs plays, or tasks on localhost."""
    content = yaml.safe_load(text)
    assert isinstance(content, list), f"neither tasks nor plays; name the file in the first line:\n{text}"
    if not any(key in content[0] for key in ("hosts", "ansible.builtin.import_playbook")):
        content = [{"hosts": "localhost", "gather_facts": False, "tasks": content}]
    reader.write("on-the-spot.yml", json.dumps(content))
    reader.write("on-the-spot.json", json.dumps({"ece_api": simulator.ece_api}))
    inventory = "-i inventory.yml" if (reader.project / "inventory.yml").exists() else ""
    return f"ansible-playbook {inventory} -e @on-the-spot.json on-the-spot.yml"


def test_exceptions_are_of_documents():
    assert {*CONNECTED, *(document for document, _shown in [*NOT_RUN, *PRINTS_A_TOKEN])} == {*DOCUMENTS}
