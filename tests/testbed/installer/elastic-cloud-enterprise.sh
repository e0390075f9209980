#!/usr/bin/env bash
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Stands in for Elastic's installation script: its command line, its checks of the host, its exit codes, and what it
# runs. It has that one's quirks on purpose. Values are used unquoted and go through eval between single quotes, so that
# a test with an evil value would really run it; never use this for anything else.
# Not played: other commands than install, and what --selinux does to the host. A host that is a folder of this machine is
# another system than this machine: its os-release lies beside its engine's commands.

# shellcheck disable=SC2086 # unquoted on purpose: the original splits values and expands * ? [ in them
set -e

CLOUD_ENTERPRISE_VERSION=4.2.0
DOCKER_REGISTRY=docker.elastic.co
ECE_DOCKER_REPOSITORY=cloud-enterprise
HOST_STORAGE_PATH=/mnt/data/elastic
HOST_DOCKER_HOST=${DOCKER_HOST:-/var/run/docker.sock}
SKIP_CHECK=${SKIP_CLOUD_ENTERPRISE_VERSION_CHECK:-false}
TIMEOUT_FACTOR=1.0
CONTAINER_ENGINE=docker
DEBUG=false FORCE=false OVERWRITE=false SELINUX=false

# fail CODE MESSAGE: on stdout and in red, as the original
fail() {
  echo -e "\033[0;31m$2\033[0m"
  exit "$1"
}

# assign VARIABLE FLAG [VALUE]
assign() {
  if [[ -z ${3-} || $3 == --* ]]; then fail 3 "Argument '$2' does not have a value"; fi
  eval "$1='$3'"
}

# newer VERSION: whether it is newer than this script, by major and minor
newer() {
  local given own
  IFS=. read -ra given <<< "$1"
  IFS=. read -ra own <<< "$CLOUD_ENTERPRISE_VERSION"
  ((${given[0]:-0} > own[0] || (${given[0]:-0} == own[0] && ${given[1]:-0} > own[1])))
}

# engine ARGUMENT...: the container engine, by its socket
engine() {
  if [[ $CONTAINER_ENGINE == podman ]]; then
    podman-remote --url "unix://$HOST_DOCKER_HOST" "$@"
  else
    docker -H "unix://$HOST_DOCKER_HOST" "$@"
  fi
}

parse_arguments() {
  while [[ -n ${1-} ]]; do
    local variable=''
    case $1 in
      --coordinator-host) variable=COORDINATOR_HOST ;;
      --host-docker-host) variable=HOST_DOCKER_HOST ;;
      --host-storage-path) variable=HOST_STORAGE_PATH ;;
      --cloud-enterprise-version)
        if newer "${2-}"; then fail 1 "Can't use a version greater than $CLOUD_ENTERPRISE_VERSION."; fi
        variable=CLOUD_ENTERPRISE_VERSION
        ;;
      --docker-registry) variable=DOCKER_REGISTRY ;;
      --ece-docker-repository) variable=ECE_DOCKER_REPOSITORY ;;
      --runner-id) variable=RUNNER_ID ;;
      --roles) variable=RUNNER_ROLES ;;
      --roles-token) variable=RUNNER_ROLES_TOKEN ;;
      --host-ip) variable=HOST_IP ;;
      --external-hostname) variable=RUNNER_EXTERNAL_HOSTNAME ;;
      --availability-zone) variable=AVAILABILITY_ZONE ;;
      --capacity) variable=CAPACITY ;;
      --memory-settings) variable=MEMORY_SETTINGS ;;
      --environment-metadata) variable=RUNNER_ENVIRONMENT_METADATA_JSON ;;
      --config-file) variable=CONFIG_FILE ;;
      --allocator-tags) variable=ALLOCATOR_TAGS ;;
      --proxy-tags) variable=PROXY_TAGS ;;
      --timeout-factor) variable=TIMEOUT_FACTOR ;;
      --api-base-url) variable=API_BASE_URL ;;
      --client-forwarder-observers-tag) variable=CLIENT_FORWARDER_OBSERVERS_TAG ;;
      --latest-stack-pre-release) variable=LATEST_STACK_PRE_RELEASE ;;
      --previous-stack-pre-release) variable=PREVIOUS_STACK_PRE_RELEASE ;;
      --proxy-protocol-version) variable=PROXY_PROTOCOL_VERSION ;;
      --debug) DEBUG=true ;;
      --overwrite-existing-image) OVERWRITE=true ;;
      --force) FORCE=true ;;
      --podman) CONTAINER_ENGINE=podman ;;
      --selinux) SELINUX=true ;;
      --skip-cloud-enterprise-version-check) SKIP_CHECK=true ;;
      --help | help)
        echo "install: installs Elastic Cloud Enterprise on this host, see the documentation"
        exit 0
        ;;
      *) fail 3 "Unknown argument '$1'" ;;
    esac
    if [[ -n $variable ]]; then
      assign $variable $1 ${2-}
      shift
    fi
    shift
  done
  HOST_DOCKER_HOST=${HOST_DOCKER_HOST#unix://}
}

check_host() {
  if [[ ! -S $HOST_DOCKER_HOST ]]; then fail 5 "ECE could not verify the Docker socket ($HOST_DOCKER_HOST)."; fi
  if (($(id -ru) < 1000 || $(id -rg) < 1000)); then fail 4 "The UID or GID must not be smaller than 1000."; fi
  # Without -H, whatever the engine is
  if ! docker ps > /dev/null 2>&1 && [[ $FORCE == false ]]; then
    fail 4 "To resolve the issue, add the user to the docker group or install as a different user."
  fi
  local logs=$HOST_STORAGE_PATH/logs/bootstrap-logs
  mkdir -p $logs
  echo "Validating ECE version $CLOUD_ENTERPRISE_VERSION." | tee -a $logs/elastic-cloud-enterprise.log
  if [[ $SKIP_CHECK != true ]]; then check_platform; fi
  if [[ ! -r $HOST_STORAGE_PATH || ! -w $HOST_STORAGE_PATH ]]; then
    fail 1 "Host storage path $HOST_STORAGE_PATH exists but is not readable and writable."
  fi
}

# Which systems it is compatible with, with which engine. --force does not help.
check_platform() {
  local engine system version os_release
  if [[ $CONTAINER_ENGINE == podman ]]; then
    engine="Podman $(engine version --format '{{.Version}}')"
  else
    engine=$(engine --version)
    engine="Docker ${engine#Docker version }"
  fi
  os_release=$(dirname "$(type -P podman-remote)")/os-release.$CONTAINER_ENGINE
  if [[ ! -f $os_release ]]; then os_release=/etc/os-release; fi
  # shellcheck source=/dev/null
  system=$(. "$os_release" && echo "$NAME")
  # shellcheck source=/dev/null
  version=$(. "$os_release" && echo "$VERSION_ID")
  if [[ $system != Ubuntu ]]; then version=${version%%.*}; fi
  case "$system $version, ${engine%%.*}" in
    "Ubuntu 20.04, Docker 2"[567] | "Ubuntu 22.04, Docker 2"[567] | "Ubuntu 24.04, Docker 2"[67]) ;;
    "Red Hat Enterprise Linux 8, Podman 4" | "Red Hat Enterprise Linux 9, Podman "[45]) ;;
    "Rocky Linux 8, Podman 4" | "Rocky Linux 9, Podman 5" | "SLES 1"[25]", Docker 25") ;;
    *) fail 1 "ECE version $CLOUD_ENTERPRISE_VERSION is not compatible with $system $version and $engine." ;;
  esac
}

find_address() {
  local device
  if [[ -n $HOST_IP ]]; then return; fi
  if type ip > /dev/null 2>&1; then
    device=$(ip route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
    if [[ -n $device ]]; then HOST_IP=$(ip -4 addr show $device | sed -n 's/.* inet \([0-9.]*\).*/\1/p' | head -n 1); fi
  fi
  if [[ -z $HOST_IP ]]; then fail 1 "Can't determine a default HOST_IP. Please supply '--host-ip'."; fi
}

run_installation_image() {
  local more='' mount=''
  if [[ -n $RUNNER_EXTERNAL_HOSTNAME ]]; then more="--env RUNNER_EXTERNAL_HOSTNAME=$RUNNER_EXTERNAL_HOSTNAME"; fi
  if [[ -n $PROXY_PROTOCOL_VERSION ]]; then more="$more --env PROXY_PROTOCOL_VERSION=$PROXY_PROTOCOL_VERSION"; fi
  if [[ $CONTAINER_ENGINE == podman && $SELINUX == true ]]; then mount=:z; fi
  engine run $more \
    --env RUNNER_ENVIRONMENT_METADATA_JSON=$RUNNER_ENVIRONMENT_METADATA_JSON \
    --env COORDINATOR_HOST=$COORDINATOR_HOST \
    --env HOST_DOCKER_HOST=$HOST_DOCKER_HOST \
    --env HOST_STORAGE_PATH=$HOST_STORAGE_PATH \
    --env CLOUD_ENTERPRISE_VERSION=$CLOUD_ENTERPRISE_VERSION \
    --env ENABLE_DEBUG_LOGGING=$DEBUG \
    --env DOCKER_REGISTRY=$DOCKER_REGISTRY \
    --env CONTAINER_ENGINE=$CONTAINER_ENGINE \
    --env LATEST_STACK_PRE_RELEASE=$LATEST_STACK_PRE_RELEASE \
    --env PREVIOUS_STACK_PRE_RELEASE=$PREVIOUS_STACK_PRE_RELEASE \
    --env ECE_DOCKER_REPOSITORY=$ECE_DOCKER_REPOSITORY \
    --env RUNNER_ID=$RUNNER_ID \
    --env RUNNER_ROLES=$RUNNER_ROLES \
    --env RUNNER_ROLES_TOKEN=$RUNNER_ROLES_TOKEN \
    --env CLIENT_FORWARDER_OBSERVERS_TAG=$CLIENT_FORWARDER_OBSERVERS_TAG \
    --env ALLOCATOR_TAGS=$ALLOCATOR_TAGS \
    --env PROXY_TAGS=$PROXY_TAGS \
    --env HOST_IP=$HOST_IP \
    --env AVAILABILITY_ZONE=$AVAILABILITY_ZONE \
    --env CAPACITY=$CAPACITY \
    --env ROLE=bootstrap-initiator \
    --env UID="$(id -u)" \
    --env GID="$(id -g)" \
    --env MEMORY_SETTINGS=$MEMORY_SETTINGS \
    --env CONFIG_FILE=$CONFIG_FILE \
    --env FORCE_INSTALL=$FORCE \
    --env ECE_TIMEOUT_FACTOR=$TIMEOUT_FACTOR \
    -p 22000:22000 -p 21000:21000 -p 20000:20000 \
    -v $HOST_DOCKER_HOST:/run/docker.sock \
    -v $HOST_STORAGE_PATH:$HOST_STORAGE_PATH$mount \
    --name elastic-cloud-enterprise-installer \
    --rm -i $DOCKER_REGISTRY/$ECE_DOCKER_REPOSITORY/elastic-cloud-enterprise:$CLOUD_ENTERPRISE_VERSION \
    elastic-cloud-enterprise-installer
}

case ${1-help} in
  install) shift ;;
  help | --help)
    echo "Elastic Cloud Enterprise Installation Script v$CLOUD_ENTERPRISE_VERSION (a stand-in of eceops.platform's tests)"
    exit 0
    ;;
  --*) ;;
  *) fail 2 "Unknown command '$1'" ;;
esac
parse_arguments "$@"
check_host
find_address
if [[ $OVERWRITE == true ]]; then
  engine pull $DOCKER_REGISTRY/$ECE_DOCKER_REPOSITORY/elastic-cloud-enterprise:$CLOUD_ENTERPRISE_VERSION
fi
run_installation_image
