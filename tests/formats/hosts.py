"""Runs the files for CI systems as their hosts run them: the steps of action.yml with GitHub's shell and variables, the
script of ci/gitlab.yml with GitLab's, the hooks by pre-commit. Each in a repository without and with a mistake.

Usage: hosts.py EBSEC FOLDER. Fails at the first thing that is not as it should be."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
EBSEC = Path(sys.argv[1])
WORK = Path(sys.argv[2])
GOOD = 'policy p {\n    a: deny exec when file.path == "/bin/a"\n}\n'
WRONG = GOOD.replace("file.path", "file.pth")
# A file name that is a command, if a script lets it be one.
NAME = "a $(touch made) é;touch made"


def load(name):
    return YAML(typ="safe").load(ROOT / name)


def repository(name, text, path="policies/p.ebsec"):
    """A fresh git repository with one policy, committed."""
    folder = WORK / "hosts" / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text(text)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "policies"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def bash(script, folder, variables, shell=("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")):
    """Runs a script with nothing of this environment but the search path."""
    env = {"PATH": os.environ["PATH"], "HOME": str(WORK), **variables}
    return subprocess.run([*shell, script], cwd=folder, env=env, capture_output=True, text=True)


def expect(condition, what, done=None):
    if not condition:
        sys.exit(f"{what}\n{done.stdout if done else ''}{done.stderr if done else ''}")


def action(folder, **given):
    """Runs the steps of the action; gives the last one's result."""
    document = load("action.yml")
    inputs = {name: str(value.get("default", "")) for name, value in document["inputs"].items()} | given
    done = None
    for step in document["runs"]["steps"]:
        expect("${{" not in step["run"], "an input is part of a script")
        condition = step.get("if")
        if condition:
            name, value = re.fullmatch(r"inputs\.([\w-]+) == '(.*)'", condition).groups()
            if inputs[name] != value:
                continue
        value = lambda text: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], str(text))
        variables = {name: value(text) for name, text in step.get("env", {}).items()}
        done = bash(step["run"], folder, {"GITHUB_ACTION_PATH": str(ROOT), "GITHUB_ACTIONS": "true", **variables})
    return done


def github():
    good, wrong = repository("github-good", GOOD), repository("github-wrong", WRONG, f"{NAME}/p.ebsec")
    done = action(good, binary=str(EBSEC), sarif="ebsec.sarif")
    expect(done.returncode == 0 and done.stdout == "", "the action fails without findings", done)
    expect('"results": []' in (good / "ebsec.sarif").read_text(), "no SARIF without findings")
    done = action(wrong, binary=str(EBSEC), paths=f"{NAME}\n\n", sarif="e.sarif")
    expect(done.returncode == 1 and done.stdout.startswith("::error file="), "the action finds nothing", done)
    expect(not (wrong / "made").exists(), "a path was run as a command")
    expect('"ruleId": "E0204"' in (wrong / "e.sarif").read_text(), "no SARIF with findings")
    done = action(wrong, binary=str(EBSEC), **{"fail-level": "error; touch made"})
    expect(done.returncode == 2 and not (wrong / "made").exists(), "an input was run as a command", done)
    # Without a binary the first step builds one; a `cargo` that makes it shows with which words.
    stand_in = WORK / "hosts/cargo"
    stand_in.mkdir(parents=True, exist_ok=True)
    (stand_in / "cargo").write_text('#!/bin/sh\necho "$@" >words\n')
    (stand_in / "cargo").chmod(0o755)
    step = next(step for step in load("action.yml")["runs"]["steps"] if "if" in step)
    done = bash(step["run"], good, {"GITHUB_ACTION_PATH": str(ROOT), "PATH": f"{stand_in}:{os.environ['PATH']}"})
    expect("--manifest-path" in (good / "words").read_text() and (ROOT / "Cargo.toml").exists(), "nothing is built", done)


def gitlab():
    job = load("ci/gitlab.yml")["ebsec"]
    reports = job["artifacts"]["reports"]
    # One script; GitLab's runner stops at the first line that fails.
    script = "\n".join(job["script"])
    for name, text, status in (("gitlab-good", GOOD, 0), ("gitlab-wrong", WRONG, 1)):
        folder = repository(name, text)
        tools = folder / ".tools"
        tools.mkdir()
        (tools / "ebsec").symlink_to(EBSEC)
        variables = {name: str(value) for name, value in job["variables"].items()}
        done = bash(script, folder, {**variables, "PATH": f"{tools}:{os.environ['PATH']}"}, shell=("sh", "-e", "-c"))
        expect(done.returncode == status, f"{name}: the status is {done.returncode}", done)
        quality, junit = (folder / reports[kind] for kind in ("codequality", "junit"))
        schemas = ROOT / "tests/formats"
        subprocess.run(["check-jsonschema", "--schemafile", schemas / "gitlab.json", quality], check=True, capture_output=True)
        subprocess.run(["xmllint", "--noout", "--schema", schemas / "junit.xsd", junit], check=True, capture_output=True)
        expect(("E0204" in quality.read_text()) == bool(status), f"{name}: the report has another content")


def pre_commit():
    hooks = repository("hooks", (ROOT / ".pre-commit-hooks.yaml").read_text(), ".pre-commit-hooks.yaml")
    tools = WORK / "hosts/tools"
    tools.mkdir(parents=True, exist_ok=True)
    (tools / "ebsec").unlink(missing_ok=True)
    (tools / "ebsec").symlink_to(EBSEC)
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(WORK / "hosts/pre-commit")}

    def run(hook, folder):
        words = ["pre-commit", "try-repo", str(hooks), hook, "--all-files", "--color", "never"]
        return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)

    good, wrong = repository("pre-commit-good", GOOD), repository("pre-commit-wrong", WRONG)
    done = run("ebsec-check", good)
    expect(done.returncode == 0 and "Passed" in done.stdout, "the hook fails without findings", done)
    done = run("ebsec-check", wrong)
    expect(done.returncode == 1 and "error[E0204]" in done.stdout, "the hook finds nothing", done)
    untidy = repository("pre-commit-untidy", GOOD.replace("policy p {", "policy p{"))
    done = run("ebsec-fmt", untidy)
    expect(done.returncode == 1 and "files were modified" in done.stdout, "the hook does not format", done)
    expect((untidy / "policies/p.ebsec").read_text() == GOOD, "the hook writes another layout")
    expect(run("ebsec-fmt", untidy).returncode == 0, "the hook changes what is formatted")


def documentation():
    """The files that docs/ci.md shows are right for their hosts."""
    validators = {
        ".github/workflows/policies.yml": ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ".gitlab-ci.yml": ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci"],
        ".pre-commit-config.yaml": ["pre-commit", "validate-config"],
    }
    blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", (ROOT / "docs/ci.md").read_text(), re.S)
    expect({name for name, _ in blocks} == set(validators), "docs/ci.md shows other files")
    for name, text in blocks:
        file = WORK / "hosts" / Path(name).name
        file.write_text(text)
        done = subprocess.run([*validators[name], str(file)], capture_output=True, text=True)
        expect(done.returncode == 0, f"docs/ci.md: {name}", done)
        # What is passed to the action are inputs that it has.
        if name.startswith(".github"):
            steps = YAML(typ="safe").load(text)["jobs"]["policies"]["steps"]
            given = next(step["with"] for step in steps if "/ebsec@" in step["uses"])
            expect(set(given) <= set(load("action.yml")["inputs"]), "docs/ci.md: an input that the action does not have")


github()
gitlab()
pre_commit()
documentation()
print("the files for CI systems do what they say")
