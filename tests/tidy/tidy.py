# SPDX-License-Identifier: Apache-2.0
"""What the tidy checks share: the tree's files, C text without comments, and the way a check runs.

A check is a function from {path: text} to findings ("path:line: what"). Before it looks at the tree it
must prove that it can fail: every BAD snippet has to be found, every GOOD one has to pass.
"""
import os
import re
import subprocess
import sys

LAYERS = ("base", "mappers", "storage", "exchange")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def paths():
    """Every file under version control (new ones too); without git, every file outside build folders."""
    try:
        out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             cwd=ROOT, capture_output=True, check=True).stdout
        return sorted(set(p for p in out.decode("utf-8").split("\0") if p))
    except (OSError, subprocess.CalledProcessError):
        found = []
        for base, dirs, files in os.walk(ROOT):
            dirs[:] = [d for d in dirs if not d.startswith("build") and d not in (".git", "node_modules")]
            found += [os.path.relpath(os.path.join(base, f), ROOT) for f in files]
        return sorted(found)


def tree():
    """{path: text} of the tree's text files."""
    texts = {}
    for path in paths():
        try:
            with open(os.path.join(ROOT, path), "rb") as file:
                raw = file.read()
        except OSError:
            continue
        if b"\0" in raw:
            continue
        try:
            texts[path] = raw.decode("utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def is_c(path):
    return path.endswith((".c", ".h"))


def layer_of(path):
    top = path.split("/")[0]
    return top if top in LAYERS else None


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text, strings=True):
    """TEXT with comments (and literals) blanked out, every line kept where it is."""
    def empty(match):
        word = match.group(0)
        if word[0] == "/":
            return re.sub(r"[^\n]", " ", word)
        return word[0] + " " * (len(word) - 2) + word[-1] if strings else word
    return TOKEN.sub(empty, text)


def no_directives(text):
    """TEXT without preprocessor lines and without the #else halves, lines kept."""
    out, skip, cont = [], [], False
    for line in text.split("\n"):
        bare = line.lstrip()
        directive = cont or bare.startswith("#")
        if directive:
            if not cont:
                word = bare[1:].split("(")[0].split()
                word = word[0] if word else ""
                if word in ("if", "ifdef", "ifndef"):
                    skip.append(False)
                elif word in ("else", "elif") and skip:
                    skip[-1] = True
                elif word == "endif" and skip:
                    skip.pop()
            cont = line.endswith("\\")
            out.append("")
        else:
            out.append("" if any(skip) else line)
    return "\n".join(out)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def main(name, check, bad, good=()):
    """Runs CHECK: first on its own samples, then on the tree. Exits 1 on any finding."""
    for sample in bad:
        if not check(dict(sample)):
            sys.exit("%s: self-check failed: nothing found in %r" % (name, sorted(sample)))
    for sample in good:
        found = check(dict(sample))
        if found:
            sys.exit("%s: self-check failed: %s" % (name, found[0]))
    texts = tree()
    found = check(texts)
    for line in found:
        print(line)
    print("%s: %d samples, %d files, %d findings" % (name, len(bad) + len(good), len(texts), len(found)))
    sys.exit(1 if found else 0)
