# SPDX-License-Identifier: Apache-2.0
"""Words that must not stay in the tree: unfinished work, dead code, paths of one machine, registry hosts.

The words are put together from parts, so that this file does not find itself.
"""
import re

import tidy


def word(*parts):
    return "".join(parts)


def any_of(*words):
    return "|".join(words)


UNFINISHED = re.compile(r"\b(%s)\b" % any_of(word("TO", "DO"), word("FIX", "ME"), word("X", "XX"), word("HA", "CK")))
MACHINE = re.compile(any_of(r"(?<![\w.:/-])/%s/" % word("wo", "rk"), r"(?<![\w.:/-])/%s/" % word("ro", "ot"),
                            r"/%s/\w+_jobs" % word("tm", "p"), r"(?<![\w.:/-])/%s/[a-z]\w*/" % word("ho", "me")))
HOSTS = re.compile(any_of(word("registry", r"\.npm"), word(r"(deb|security|snapshot)\.", "debian"), word("pypi", r"\.org"),
                          word("files", r"\.pythonhosted"), word("proxy", r"\.golang"), word("crates", r"\.io/api")), re.I)
MAKERS = re.compile(r"\b(%s)\b" % any_of(word("clau", "de"), word("anth", "ropic"), word("cop", "ilot"),
                                         word("chat", "gpt"), word("co", "dex"), word("sub", "agent"),
                                         word("work", "tree"), word("AI", "-generated")), re.I)
RULES = ((UNFINISHED, "unfinished work"), (MACHINE, "a path of one machine"), (HOSTS, "a registry's host"),
         (MAKERS, "how it was made"))

# A comment line that reads as a statement: a call, an assignment, a jump or a block's head.
STATEMENT = re.compile(r"^(?:(?:await\s+|(?:const|let)\s+\w+\s*=\s*)?[\w>.\[\]-]+\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|[-+|&]?=\s*[^=].*);"
                       r"|(?:return\b[^.]*|break|continue|goto \w+);"
                       r"|(?:if|for|while|switch)\s*\(.*\)\s*\{?"
                       r"|\}\s*(?:else\b.*)?)$")


def comments(path, text):
    """(offset, comment) in C; in JavaScript only whole lines, as its literals are harder to tell apart."""
    if path.endswith(".mjs"):
        yield from ((m.start(), m.group(0).strip()) for m in re.finditer(r"^[ \t]*//[^\n]*", text, re.M))
        return
    for match in tidy.TOKEN.finditer(text):
        if match.group(0)[0] == "/" and not match.group(0).startswith("/* SPDX"):
            yield match.start(), match.group(0)  # but the head of a file may show how it is used


def dead_code(path, text):
    """Comments with a line of code in them."""
    found = []
    for offset, comment in comments(path, text):
        for i, line in enumerate(comment.split("\n")):
            line = re.sub(r"^\s*(/\*+|\*(?!/)|//)\s?", "", line)
            line = re.sub(r"\s*\*+/\s*$", "", line).strip()
            if STATEMENT.match(line):
                where = tidy.line_of(text, offset) + i
                found.append("%s:%d: commented-out code? %s" % (path, where, line[:60]))
    return found


def check(texts):
    found = []
    for path, text in texts.items():
        if path == "LICENSE" or "/corpus/" in path:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, what in RULES:
                match = pattern.search(line)
                if match:
                    found.append("%s:%d: %s: %s" % (path, number, what, match.group(0)))
        if path.endswith((".c", ".h", ".mjs")) and "/gen/" not in path:
            found += dead_code(path, text)
    return found


BAD = (
    {"a.c": "/* %s: later */\n" % word("TO", "DO")},
    {"a.sh": "# %s\n" % word("FIX", "ME")},
    {"docs/a.md": "run it in /%s/here\n" % word("wo", "rk")},
    {"docs/a.md": "see /%s/kim/tasuki\n" % word("ho", "me")},
    {"package-lock.json": '"resolved": "https://%s%s"\n' % (word("registry", "."), "npmjs.org/x")},
    {"a.md": "written by %s\n" % word("Clau", "de")},
    {"base/a.c": "/* free(x); */\n"},
    {"base/a.c": "    // x->count = 3;\n"},
    {"base/a.c": "/* if (x) {\n *     return 1;\n * }\n */\n"},
    {"tests/a.mjs": "// await stop(region);\n"},
)
GOOD = (
    {"base/a.c": "/* W/\"3\" -> 3; absent -> 0. */\nx = \"/* free(x); */\";\n"},
    {"base/a.c": "/* return T_RUN(tests); at the end of main. */\n"},
    {"tests/a.mjs": "const u = 'https://127.0.0.1:1/x';\n"},
    {"a.sh": "mktemp -d /tmp/tasuki.%s\n" % ("X" * 6)},
)

if __name__ == "__main__":
    tidy.main("words", check, BAD, GOOD)
