# SPDX-License-Identifier: Apache-2.0
"""No function over 70 lines, no file over 900; tables and generated files may be as long as they are."""
import re

import tidy

FUNCTION_MAX = 70
FILE_MAX = 900
CODE = (".c", ".h", ".py", ".sh", ".mjs", ".xsl", ".cmake")


def is_table(path):
    return path.endswith(("_table.c", "_table.h")) or "/gen/" in path


def functions(text):
    """(name, first line, lines) of each function: a block at depth 0 whose head ends in a parameter list."""
    code = tidy.no_directives(tidy.blank(text))
    depth, start, opened, name = 0, 0, 0, None
    for at, char in enumerate(code):
        if char == "{":
            if depth == 0:
                head = code[start:at]
                match = re.search(r"(\w+)\s*\(.*\)\s*(?:__attribute__\s*\(\(.*\)\)\s*)?$", head, re.S)
                name = match.group(1) if match and "=" not in head else None
                opened = start + len(head) - len(head.lstrip())
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                if name:
                    first = tidy.line_of(code, opened)
                    yield name, first, tidy.line_of(code, at) - first + 1
                start = at + 1
        elif char == ";" and depth == 0:
            start = at + 1


def check(texts):
    found = []
    for path, text in texts.items():
        lines = text.count("\n")
        if path.endswith(CODE) and lines > FILE_MAX and not is_table(path):
            found.append("%s:1: %d lines, at most %d" % (path, lines, FILE_MAX))
        if not tidy.is_c(path) or "/gen/" in path:
            continue
        for name, first, count in functions(text):
            if count > FUNCTION_MAX:
                found.append("%s:%d: %s has %d lines, at most %d" % (path, first, name, count, FUNCTION_MAX))
    return found


def sample(lines, head="int f(void)\n{\n"):
    return head + "    g(\"{\"); /* } */\n" * (lines - 3) + "}\n"


BAD = (
    {"base/a.c": sample(FUNCTION_MAX + 1)},
    {"base/a.c": "static const int t[] = {1, 2};\n" + sample(FUNCTION_MAX + 1)},
    {"base/a.c": sample(FUNCTION_MAX + 1, "#if X\nint f(int a)\n{\n#else\nint f(void)\n{\n#endif\n")},
    {"base/a.c": "int x;\n" * (FILE_MAX + 1)},
)
GOOD = (
    {"base/a.c": sample(FUNCTION_MAX) + sample(FUNCTION_MAX)},
    {"base/a_table.c": "const int t[] = {\n" + "1,\n" * (FILE_MAX + 1) + "};\n"},
)

if __name__ == "__main__":
    tidy.main("lengths", check, BAD, GOOD)
