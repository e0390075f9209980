# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: ECE's installer. The rules for values, its command line, what its exit codes mean. Runs with Python 3.6 or later.

The rules are those of the installer script (4.0.3): it reads its values unquoted, assigns them through `eval` inside
single quotes, and uses them unquoted again in the container engine's command line. So a single quote would be executed,
white space cuts a value short, and `*`, `?` and `[` are expanded. Both sides ask here: the filter for all hosts, early, and
the module before it starts anything.
"""

import json
import re
import typing as t

from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES

MAX_LENGTH = 1000
MAX_QUOTED = 60
MIN_CAPACITY_MB = 8192
MASK = "(secret)"

# A token, or what is left of one: JSON's `{"` becomes eyJ.
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.?[\w-]*")
# Lone surrogates are no text: a command line cannot hold them.
_FORBIDDEN = re.compile(r"""['"`$\\*?\[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]""")
_FORBIDDEN_IN_JSON = re.compile(r"""['`$\\*?\[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]""")
_FLAG = re.compile(r"--[a-z0-9][a-z0-9-]*\Z")
# The installer compares the first two numbers by arithmetic, which would evaluate names and assignments.
_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})(\.|\Z)")

# The installer's flag of each variable, in the order of the command line. What is not here takes no value, or is special.
FLAGS = (
    ("coordinator_host", "--coordinator-host"),
    ("roles", "--roles"),
    ("version", "--cloud-enterprise-version"),
    ("runner_id", "--runner-id"),
    ("ip", "--host-ip"),
    ("availability_zone", "--availability-zone"),
    ("external_hostname", "--external-hostname"),
    ("capacity", "--capacity"),
    ("memory_settings", "--memory-settings"),
    ("allocator_tags", "--allocator-tags"),
    ("proxy_tags", "--proxy-tags"),
    ("storage_path", "--host-storage-path"),
    ("engine_socket", "--host-docker-host"),
    ("docker_registry", "--docker-registry"),
    ("docker_repository", "--ece-docker-repository"),
    ("timeout_factor", "--timeout-factor"),
)
# The flags that a variable owns, for `extra_args` to keep away from.
OWNED = dict(
    [(flag, name) for name, flag in FLAGS]
    + [("--roles-token", "roles_token"), ("--podman", "container_engine"), ("--selinux", "selinux")]
)

WORDS = ("coordinator_host", "version", "runner_id", "ip", "availability_zone", "docker_registry", "docker_repository")
PATHS = ("storage_path", "engine_socket", "state_path", "installer")
LISTS = ("roles", "external_hostname")
TAGS = ("allocator_tags", "proxy_tags")

Arguments = t.Mapping[str, t.Any]


def argument_problems(arguments: Arguments, prefix: str = "") -> t.List[str]:
    """What is wrong with the values of variables, a sentence each that begins with `prefix` and the variable's name.

    A value that is missing, None or empty text is not given. No sentence holds what may be a secret.
    """
    problems: t.List[str] = []
    for name in sorted(arguments):
        value = arguments[name]
        if value is None or value == "":
            continue
        problems += [prefix + name + " " + what for what in _problems(name, value)]
    if is_true(arguments.get("selinux")) and arguments.get("container_engine") != "podman":
        problems.append(
            f"{prefix}selinux goes with {prefix}container_engine: podman only: the installer ignores it otherwise."
        )
    return problems


def command(arguments: Arguments, installer: str, roles_token: str) -> t.List[str]:
    """The command line that installs ECE on this host, as a list of words. The arguments have to have no problems."""
    words = ["bash", installer, "install", "--roles-token", roles_token]
    for name, flag in FLAGS:
        value = _text(name, arguments.get(name))
        if value:
            words += [flag, value]
    if arguments.get("container_engine") == "podman":
        words.append("--podman")
    if is_true(arguments.get("selinux")):
        words.append("--selinux")
    return words + [str(word) for word in arguments.get("extra_args") or ()]


def engine_client(container_engine: str, engine_socket: str) -> t.List[str]:
    """The engine's command as the installer uses it, on its socket."""
    url = "unix://" + engine_socket
    return ["podman-remote", "--url", url] if container_engine == "podman" else ["docker", "-H", url]


def environment(user: t.Any, environ: t.Mapping[str, str]) -> t.Dict[str, str]:
    """All that the installer finds in its environment, for some variables change what it does. `user`: as of pwd."""
    clean = {
        "PATH": environ.get("PATH") or "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
    }
    return dict(clean, HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)


def job_folder(state_path: str) -> str:
    """Where the lock, log and outcome of the installer are, and its arguments without the token."""
    return state_path.rstrip("/") + "/install"


def is_pipelined(command_line: bytes) -> bool:
    """Whether a module of this command line (that of /proc/self/cmdline) came over the connection, and in no file."""
    return b"AnsiballZ_" not in command_line


NOT_PIPELINED = (
    "Pipelining does not work here, and without it Ansible would write the roles token to a file: let sudo do without "
    "requiretty, use a become method that can (not su), and unset ANSIBLE_KEEP_REMOTE_FILES."
)


def redact(text: str, secret: t.Optional[str] = None) -> str:
    """The same text without the secret, and without anything that looks like a token."""
    if secret:
        text = text.replace(secret, MASK)
    return _JWT.sub(MASK, text)


_CLEAN_UP = "remove what it left (its containers, what is in the storage path), and run this again."


def meaning(exit_code: t.Optional[int]) -> str:
    """What an exit code of the installer, or of the container engine that it ends in, means, and what to do next."""
    if exit_code is None:
        return (
            "The installer ended without a trace: it was killed, or the host was restarted. Look at its logs, "
            + _CLEAN_UP
        )
    unknown = f"The installer failed with the exit code {exit_code}: its log tells why. Mend that, {_CLEAN_UP}"
    return _MEANINGS.get(exit_code) or unknown


_MEANINGS = {
    0: "The installer has ended well.",
    1: "The installer failed (exit code 1): mostly the operating system and the version of the container engine are not "
    "ones that this version of ECE supports, a path or an address is wrong, or the token was not accepted. Its log tells "
    "which: mend that, " + _CLEAN_UP,
    2: "The installer does not know the command (exit code 2): is the file ECE's installer? Give the right one, and run "
    "this again.",
    3: "The installer does not know a flag, or a flag lacks its value (exit code 3): is the installer as new as the flags "
    "that extra_args asks for? Give a newer one, or fewer flags, and run this again.",
    4: "The installer does not accept the user (exit code 4): it must not be root, must have a uid and gid of at least "
    "1000, and plain `docker ps` has to work for it (or --force is among extra_args). Mend that, and run this again.",
    5: "The installer misses a precondition (exit code 5): the socket of the container engine is not there, or, up to 3.5, "
    "firewalld is active. Mend that, " + _CLEAN_UP,
    125: "The container engine could not run the installation image (exit code 125): the registry denied it, the name of "
    "the container is taken, or a port is bound. The end of its log tells which: mend that, and run this again.",
    126: "A command could not be run (exit code 126): it is not executable, for this user at least. The end of its log "
    "tells which: mend that, " + _CLEAN_UP,
    127: "A command was not found (exit code 127): bash, the container engine's client, or something in the image. The end "
    "of its log tells which: mend that, " + _CLEAN_UP,
    137: "The installation was killed (exit code 137): by hand, or because the host has run out of memory. Mend that, "
    + _CLEAN_UP,
}


def _problems(name: str, value: t.Any) -> t.List[str]:
    """What is wrong with one value, in sentences without their beginning."""
    if name in WORDS:
        return _scalar(value, _version if name == "version" else _word)
    if name in PATHS:
        return _scalar(value, _path)
    if name == "roles":
        return _roles(value)
    if name == "roles_token":
        return _token(str(value))
    if name == "external_hostname":
        return _each(value, lambda item: _scalar(item, _item))
    if name == "extra_args":
        return _extra_args(value)
    if name in TAGS:
        return _tags(value)
    if name == "capacity":
        return _capacity(value)
    if name == "timeout_factor":
        return _timeout_factor(value)
    if name == "memory_settings":
        return _memory_settings(value)
    if name == "container_engine":
        return [] if value in ("docker", "podman") else [f"must be docker or podman, not {_quoted(value)}."]
    if name == "install_user":
        return _scalar(value, _user)
    if name == "selinux":
        return [] if is_true(value) or _is_false(value) else [f"must be true or false, not {_quoted(value)}."]
    return []


def _word(text: str) -> t.List[str]:
    """A word that the installer's shell leaves as it is."""
    found = _FORBIDDEN.search(text)
    if found:
        return [f"may not hold {_named(found.group())}: the installer evaluates it in a shell: {_quoted(text)}."]
    if text.startswith("-"):
        return [f"may not begin with a dash: the installer takes it for a flag: {_quoted(text)}."]
    return _too_long(text)


def _version(text: str) -> t.List[str]:
    return _word(text) or ([] if _VERSION.match(text) else [f"must be a version such as 4.2.0, not {_quoted(text)}."])


def _token(text: str) -> t.List[str]:
    """Its value is never repeated."""
    if not re.match(r"\w[\w.-]*\Z", text, re.ASCII):
        return ["may hold what a token does only (a JWT)."]
    return _too_long(text)


def _too_long(text: str) -> t.List[str]:
    if len(text) > MAX_LENGTH:
        return [f"may not be longer than {MAX_LENGTH} characters, and has {len(text)}."]
    return []


def _item(text: str) -> t.List[str]:
    """A word that stands in a list of the installer's, separated by commas."""
    return _word(text) or ([f"may not hold a comma: {_quoted(text)}."] if "," in text else [])


def _path(text: str) -> t.List[str]:
    if not text.startswith("/"):
        return [f"must be an absolute path, not {_quoted(text)}."]
    return _word(text) or ([f"may not hold a colon: {_quoted(text)}."] if ":" in text else [])


def _user(text: str) -> t.List[str]:
    return ["may not be root: the installer refuses it."] if text == "root" else _word(text)


def _scalar(value: t.Any, rule: t.Callable[[str], t.List[str]]) -> t.List[str]:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return [f"must be text, not a {_kind(value)}."]
    return rule(str(value))


def _each(value: t.Any, rule: t.Callable[[t.Any], t.List[str]]) -> t.List[str]:
    if not isinstance(value, (list, tuple)):
        return [f"must be a list, not a {_kind(value)}."]
    joined = ",".join(str(item) for item in value)
    if len(joined) > MAX_LENGTH:
        return [f"may not be longer than {MAX_LENGTH} characters together, and has {len(joined)}."]
    problems: t.List[str] = []
    for item in value:
        problems += ["may not hold an empty item."] if item in (None, "") else rule(item)
    return problems


def _roles(value: t.Any) -> t.List[str]:
    known = "allocator, coordinator, director and proxy"
    return _each(value, lambda item: [] if item in ROLES else [f"may hold {known}, not {_quoted(item)}."])


def _tags(value: t.Any) -> t.List[str]:
    if not isinstance(value, t.Mapping):
        return [f"must be a dictionary of tags, not a {_kind(value)}."]
    problems: t.List[str] = []
    for item in [*value.keys(), *value.values()]:
        # YAML's `name:` with nothing behind it is null.
        problems += _scalar("" if item is None else item, _tag)
    joined = _text("allocator_tags", value)
    if not problems and len(joined) > MAX_LENGTH:
        problems.append(f"may not be longer than {MAX_LENGTH} characters together, and has {len(joined)}.")
    return problems


def _tag(text: str) -> t.List[str]:
    if text == "":
        return ["may not hold an empty name or value."]
    if ":" in text or "," in text:
        return [f"may not hold a colon or a comma in a tag's name or value: {_quoted(text)}."]
    return _word(text)


def _capacity(value: t.Any) -> t.List[str]:
    if isinstance(value, bool) or not re.match(r"[0-9]{1,15}\Z", str(value)) or int(value) < MIN_CAPACITY_MB:
        return [f"must be at least {MIN_CAPACITY_MB} (MB), not {_quoted(value)}."]
    return []


def _timeout_factor(value: t.Any) -> t.List[str]:
    if isinstance(value, bool) or not re.match(r"[0-9]{1,15}(\.[0-9]{1,15})?\Z", str(value)) or float(value) <= 0:
        return [f"must be a number above 0, not {_quoted(value)}."]
    return []


def _memory_settings(value: t.Any) -> t.List[str]:
    if not isinstance(value, t.Mapping):
        return [f"must be a dictionary, by service, of dictionaries, not a {_kind(value)}."]
    try:
        text = _json(value)
    except (TypeError, ValueError):
        return ["must hold what JSON can hold."]
    found = _FORBIDDEN_IN_JSON.search(text)
    if found:
        # The double quotes of JSON are the one exception.
        return [f"may not hold {_named(found.group())} in a name or value: the installer evaluates it in a shell."]
    if any(word.startswith("-") for word in _words(value)):
        return ["may not hold a name or value that begins with a dash."]
    if len(text) > MAX_LENGTH:
        return [f"may not be longer than {MAX_LENGTH} characters as JSON, and has {len(text)}."]
    return []


def _words(value: t.Any) -> t.List[str]:
    """All names and values in what JSON holds."""
    if isinstance(value, t.Mapping):
        return [word for name in value for word in [str(name), *_words(value[name])]]
    if isinstance(value, (list, tuple)):
        return [word for item in value for word in _words(item)]
    return [str(value)]


def _extra_args(value: t.Any) -> t.List[str]:
    if not isinstance(value, (list, tuple)):
        return [f"must be a list of flags and their values, not a {_kind(value)}."]
    problems: t.List[str] = []
    for number, item in enumerate(value):
        text = str(item)
        if item is None:
            problems.append("may not hold an empty value.")
        elif isinstance(item, (t.Mapping, list, tuple)):
            problems.append(f"must hold flags and values, not a {_kind(item)}.")
        elif text in OWNED:
            problems.append(f"may not hold {text}: that is what the variable {OWNED[text]} is for.")
        elif text.startswith("-"):
            if not _FLAG.match(text):
                problems.append(
                    f"may not hold {_quoted(text)}: a flag has two dashes, and its value is an element of its own."
                )
        elif number == 0 or not str(value[number - 1]).startswith("-"):
            problems.append(f"may not hold {_quoted(text)}, which follows no flag.")
        else:
            problems += _word(text) if text else ["may not hold an empty value."]
    return problems


def _text(name: str, value: t.Any) -> str:
    """A value as it stands on the command line; empty where it is not passed."""
    if value is None or value == "":
        return ""
    if name in LISTS:
        return ",".join(dict.fromkeys(str(item) for item in value))
    if name in TAGS:
        return ",".join(f"{tag}:{value[tag]}" for tag in value)
    if name == "memory_settings":
        return _json(value) if value else ""
    return str(value)


def _json(value: t.Any) -> str:
    """Compact, for white space would cut it short."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _named(character: str) -> str:
    if character.isspace():
        return "white space"
    return character if character.isprintable() else "a control character"


def _quoted(value: t.Any) -> str:
    """A value as it may be shown: cut, printable, and without a token."""
    text = str(value)
    if "eyJ" in text:
        return MASK  # all of it: what is wrong may stand within the token, and cut it in two
    return repr(text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "...")


def _kind(value: t.Any) -> str:
    kinds = ((bool, "truth value"), (t.Mapping, "dictionary"), ((list, tuple), "list"), ((int, float), "number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "text")


def is_true(value: t.Any) -> bool:
    """What Ansible takes for true, text included."""
    return str(value).strip().lower() in ("true", "yes", "on", "1", "y", "t")


def _is_false(value: t.Any) -> bool:
    return str(value).strip().lower() in ("false", "no", "off", "0", "n", "f")
