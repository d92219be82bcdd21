# SPDX-License-Identifier: Apache-2.0
"""Relative links in the tree's Markdown lead somewhere: the file exists, and so does the heading behind '#'."""
import posixpath
import re

import tidy

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.M)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.M)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)


def anchors(text):
    """The anchors that a forge makes of headings: lower case, words and hyphens; a repeat gets a number."""
    seen, found = {}, set()
    for match in HEADING.finditer(FENCE.sub("", text)):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match.group(1)).lower()
        slug = re.sub(r"[^\w\- ]", "", title.replace("`", "")).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add("%s-%d" % (slug, count) if count else slug)
    return found


def check(texts, exists=None):
    found = []
    known = set(texts) | (exists or set())
    folders = {posixpath.dirname(p) for p in known}
    folders |= {f[:i] for f in list(folders) for i in range(len(f)) if f[i] == "/"}
    for path, text in texts.items():
        if not path.endswith(".md"):
            continue
        plain = FENCE.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)
        plain = re.sub(r"`[^`\n]*`", lambda m: " " * len(m.group(0)), plain)
        for match in list(LINK.finditer(plain)) + list(REFERENCE.finditer(plain)):
            target = match.group(1)
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            where = "%s:%d" % (path, tidy.line_of(plain, match.start()))
            name, _, anchor = target.partition("#")
            full = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
            if name and full not in known and full.rstrip("/") not in folders and full != ".":
                found.append("%s: no such file: %s" % (where, target))
            elif anchor and full.endswith(".md") and full in texts and anchor not in anchors(texts[full]):
                found.append("%s: no such heading: %s" % (where, target))
    return found


def check_tree(texts):
    return check(texts, set(tidy.paths()))


BAD = (
    {"docs/a.md": "see [b](b.md)\n"},
    {"docs/a.md": "see [b](../c/b.md)\n", "docs/b.md": "x\n"},
    {"a.md": "see [b](b.md#there)\n", "b.md": "# Here\n"},
    {"a.md": "[b]: b.md\n"},
)
GOOD = (
    {"docs/a.md": "see [b](../b.md#one-two) and [c](../docs/)\n", "b.md": "# One `two`\n"},
    {"a.md": "[x](https://example.org/x) `[b](c)`\n```\n[b](c)\n```\n"},
)

if __name__ == "__main__":
    for sample in BAD:
        if not check(dict(sample)):
            raise SystemExit("docs: self-check failed: nothing found in %r" % sorted(sample))
    for sample in GOOD:
        if check(dict(sample)):
            raise SystemExit("docs: self-check failed: %s" % check(dict(sample))[0])
    tidy.main("docs", check_tree, ())
