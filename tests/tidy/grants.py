# SPDX-License-Identifier: Apache-2.0
"""No grant, no rows: struct grant is made in exchange/gate/grant.c and nowhere else (tests make their own)."""
import re

import tidy

MAKER = "exchange/gate/grant.c"
DEFINED = "storage/grant.h"
MAKES = (
    (re.compile(r"\bGRANT_MAGIC\b"), "uses the mark of a grant"),
    (re.compile(r"\bstruct\s+grant\s+\w+\s*(\[[^]]*\]\s*)?="), "initialises a struct grant"),
    (re.compile(r"\(\s*(const\s+)?struct\s+grant\s*\)\s*\{"), "makes a struct grant"),
    (re.compile(r"[>.]\s*magic\s*=(?!=)"), "writes a mark"),
    (re.compile(r"\bsizeof\s*\(\s*struct\s+grant\s*\)|ARENA_NEW\s*\([^)]*struct\s+grant\s*\)"), "allocates a struct grant"),
)
COMPARES = re.compile(r"[!=]=\s*GRANT_MAGIC\b")


def check(texts):
    found = []
    for path, text in texts.items():
        if not tidy.is_c(path) or path in (MAKER, DEFINED) or path.startswith("tests/"):
            continue
        code = COMPARES.sub(lambda m: " " * len(m.group(0)), tidy.blank(text))
        for pattern, what in MAKES:
            for match in pattern.finditer(code):
                found.append("%s:%d: %s; only %s may" % (path, tidy.line_of(code, match.start()), what, MAKER))
    return found


BAD = (
    {"exchange/a.c": "struct grant g = {0};\n"},
    {"exchange/a.c": "x = (struct grant){.actor = 1};\n"},
    {"exchange/a.c": "g->magic = 0x1;\n"},
    {"exchange/cli/a.c": "r->grant.magic = GRANT_MAGIC;\n"},
    {"storage/a.c": "struct grant *g = ARENA_NEW(arena, struct grant);\n"},
)
GOOD = (
    {MAKER: "struct grant g = {.magic = GRANT_MAGIC};\n"},
    {"storage/a.c": "assert(g->magic == GRANT_MAGIC); /* struct grant g = {0}; */\n"},
    {"tests/lib/a.h": "return (struct grant){.magic = GRANT_MAGIC};\n"},
)

if __name__ == "__main__":
    tidy.main("grants", check, BAD, GOOD)
