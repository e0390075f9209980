#!/usr/bin/env bash
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# `make demo`: builds and installs the collection, starts the simulator, and runs examples/ against it. Each command is
# printed before it runs, in the form in which a user can copy it. Whatever happens, the simulator is taken down.
# Runs in the checkout's root with .venv/bin on PATH.
set -euo pipefail

demo=.cache/demo
world=$demo/world

title() { printf '\n== %s\n' "$1"; }

# run COMMAND...: print it, run it
run() {
  printf '$'
  local word
  for word in "$@"; do
    if [[ $word =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]]; then printf ' %s' "$word"; else printf " '%s'" "${word//\'/\'\\\'\'}"; fi
  done
  printf '\n'
  "$@"
}

# run_unchanged COMMAND...: the same, and fail unless every host's line of the recap says that nothing changed
run_unchanged() {
  run "$@" | tee "$demo/output"
  if ! grep -q 'changed=' "$demo/output" || grep -q 'changed=[1-9]' "$demo/output"; then
    echo 'This run should have changed nothing.' >&2
    exit 1
  fi
}

testbed() { PYTHONPATH=tests SIMULATOR_PYTHON=$PWD/.venv/bin/python python -m testbed "$@" --dir "$world"; }

stop() {
  local outcome=$?
  trap - EXIT INT TERM
  if [[ -n ${started-} ]]; then
    title 'Everything that was started is stopped'
    testbed down || outcome=1
  fi
  rm -rf "$ANSIBLE_SSH_CONTROL_PATH_DIR"
  if ((outcome)); then echo "The demo FAILED." >&2; fi
  exit "$outcome"
}

# What a demo has left that was killed
if [[ -d $world ]]; then testbed down; fi
rm -rf "$demo"
mkdir -p "$demo/home"
# Nothing of the user's Ansible takes part, and nothing stays outside of the checkout (as root, the hosts' folders are among
# the temporary files, where the install user can reach them).
while read -r name; do unset "$name"; done < <(compgen -e | grep -E '^(ANSIBLE_|EC_|PYTHONPATH$)' || true)
HOME=$PWD/$demo/home
# A socket's path may have about a hundred characters only, so those of ssh are among the temporary files, too.
ANSIBLE_SSH_CONTROL_PATH_DIR=$(mktemp -d)
trap 'rm -rf "$ANSIBLE_SSH_CONTROL_PATH_DIR"' EXIT
export HOME ANSIBLE_SSH_CONTROL_PATH_DIR ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false

title 'The collection, as it was built, is installed'
printf '$ export ANSIBLE_COLLECTIONS_PATH=%s\n' "$PWD/$demo/collections"
export ANSIBLE_COLLECTIONS_PATH=$PWD/$demo/collections
artifact=("$PWD"/.cache/artifact/eceops-platform-*.tar.gz)
run ansible-galaxy collection install ".cache/artifact/${artifact[0]##*/}" --offline -p "$demo/collections"

title 'A simulator stands in for Elastic Cloud Enterprise, and containers, or folders of this machine, for hosts'
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
started=yes
hosts=(--hosts "manager-1,allocator-1,allocator-2,allocator-3")
if PYTHONPATH=tests python -m testbed.containers; then hosts+=(--containers); fi
testbed up "${hosts[@]}"

# ---- the steps: examples/ against the simulator; a real installation is another variable file ----
# A step takes the connection from the file of variables as a playbook does, or from the environment as ad hoc commands do.
api=(-e "@$world/ece_api.yml")
# The inventory that a user copies; the second file says how to reach the hosts of this demo.
fleet=(-i examples/inventory.yml -i "$world/hosts.yml")

title 'Which hosts would join?'
run ansible-playbook "${fleet[@]}" eceops.platform.add_hosts "${api[@]}" --check

title 'They join: the manager first, then the allocators, all at once'
run ansible-playbook "${fleet[@]}" eceops.platform.add_hosts "${api[@]}"

title 'A second run changes nothing'
run_unchanged ansible-playbook "${fleet[@]}" eceops.platform.add_hosts "${api[@]}"

title 'Mint an ephemeral token, keep it while it is good'
run ansible-playbook examples/ephemeral_token.yml "${api[@]}"

title 'Mint a persistent token into a file'
run ansible-playbook examples/persistent_token.yml "${api[@]}" -e "proxy_token_file=$PWD/$demo/proxy-token"

title 'A second run changes nothing'
run_unchanged ansible-playbook examples/persistent_token.yml "${api[@]}" -e "proxy_token_file=$PWD/$demo/proxy-token"

title 'List the persistent tokens'
printf '$ . %s\n' "$world/env.sh"
# shellcheck source=/dev/null
. "$world/env.sh"
run ansible localhost -m eceops.platform.ece_roles_token_info -a "ca_path=$PWD/$world/ca.pem"

title 'Rotate: mint, store, and only then revoke'
proxy_token_id=$(ansible localhost -m eceops.platform.ece_roles_token_info -a "roles=proxy ca_path=$PWD/$world/ca.pem" |
  sed -n 's/.*"token_id": "\([^"]*\)".*/\1/p')
run ansible-playbook eceops.platform.rotate_token "${api[@]}" -e ece_rotate_roles=proxy \
  -e "ece_rotate_token_ids=$proxy_token_id" -e "ece_rotate_dest=$PWD/$demo/proxy-token"

title 'Revoke all tokens that are for proxies only'
run ansible-playbook eceops.platform.revoke_tokens "${api[@]}" -e ece_revoke_roles=proxy

title 'A second run finds nothing to revoke'
run_unchanged ansible-playbook eceops.platform.revoke_tokens "${api[@]}" -e ece_revoke_roles=proxy
# ---- end of the steps ----

title 'The demo has shown everything'
