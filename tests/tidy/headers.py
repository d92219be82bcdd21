# SPDX-License-Identifier: Apache-2.0
"""Every C file says at its top what it is; every prototype in a header has a comment at its group."""
import re

import tidy

HEAD_MIN = 3
PROTOTYPE = re.compile(r"^(?!typedef\b|static\b|return\b)[A-Za-z_][\w \t*]*?[ \t*](\w+)\s*\([^;{]*\)[^;{]*;", re.M | re.S)


def head_of(path, text):
    if not text.startswith("/* SPDX-License-Identifier: Apache-2.0\n"):
        return ["%s:1: does not begin with the licence line" % path]
    lines = text[:text.find("*/")].split("\n")
    said = [line for line in lines[1:] if re.search(r"\w", line)]
    if len(lines) < HEAD_MIN or not said:
        return ["%s:1: the comment at the top does not say what the file is" % path]
    return []


def paragraphs(text):
    """(first offset, text) of the parts between blank lines outside comments."""
    bare = tidy.blank(text)
    start = 0
    for match in re.finditer(r"\n[ \t]*\n", text):
        inside = text[:match.start()].count("/*") > text[:match.start()].count("*/")
        if inside:
            continue
        yield start, text[start:match.start()], bare[start:match.start()]
        start = match.end()
    yield start, text[start:], bare[start:]


def prototypes(path, text):
    """A comment opens the group (a part between blank lines) or the group right above it."""
    found, commented = [], False
    for start, part, bare in paragraphs(text):
        bare = tidy.no_directives(bare)
        first = PROTOTYPE.search(bare) if "{" not in bare else None
        own = "/*" in part[:first.start() if first else len(part)]
        if first and not own and not commented and "/*" not in part[:part.find("\n", first.end()) + 1 or None]:
            line = tidy.line_of(text, start + first.start())
            found.append("%s:%d: %s has no comment above it or its group" % (path, line, first.group(1)))
        commented = part.lstrip().startswith("/*") and not bare.strip() and "SPDX" not in part
    return found


def check(texts):
    found = []
    for path, text in texts.items():
        if not tidy.is_c(path):
            continue
        found += head_of(path, text)
        if path.endswith(".h") and "/gen/" not in path:
            found += prototypes(path, text)
    return found


TOP = "/* SPDX-License-Identifier: Apache-2.0\n *\n * What it is.\n */\n\n"
BAD = (
    {"base/a.c": "int x;\n"},
    {"base/a.c": "/* SPDX-License-Identifier: Apache-2.0 */\n"},
    {"base/a.c": "/* SPDX-License-Identifier: Apache-2.0\n *\n */\n"},
    {"base/a.h": TOP + "enum err a_read(struct a *a,\n                int b) ERR_CHECKED;\n"},
    {"base/a.h": TOP + "/* Reads. */\nint a_read(void);\n\nint a_write(void);\n"},
)
GOOD = (
    {"base/a.h": TOP + "/* Reads and writes. */\nint a_read(void);\nint a_write(void);\n"},
    {"base/a.h": TOP + "struct a {\n    int (*f)(void);\n};\n"},
    {"base/a.h": TOP + "int a_read(void); /* reads */\n"},
    {"base/a.h": TOP + "/* ---- reading ---- */\n\nint a_read(void);\n"},
)

if __name__ == "__main__":
    tidy.main("headers", check, BAD, GOOD)
