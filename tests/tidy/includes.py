# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: exchange -> {mappers, storage} -> base, and each foreign library in one place."""
import re

import tidy

BELOW = {
    "base": ("base",),
    "mappers": ("mappers", "base"),
    "storage": ("storage", "base"),
    "exchange": ("exchange", "mappers", "storage", "base"),
}
# A header of a foreign library -> the folders and files that may include it (tests/ may include any).
FOREIGN = (
    (r"uv\.h|uv/", ("exchange/",)),
    (r"openssl/ssl\.h", ("exchange/",)),
    (r"openssl/", ("base/ids.c", "base/digest.c", "base/seal.c", "exchange/net/", "exchange/demo/pki", "exchange/bench/")),
    (r"sqlite3\.h", ("storage/",)),
    (r"libpq", ("storage/",)),
    (r"libxml/|libxslt/|libexslt/", ("mappers/",)),
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def owner(path):
    """The layer whose rules PATH follows: its own, or that of the layer a unit test is about."""
    match = re.match(r"tests/unit/(\w+)/", path)
    return match.group(1) if match else tidy.layer_of(path)


def quoted(path, name, where):
    layer, top = owner(path), name.split("/")[0]
    if top not in BELOW:
        if path.startswith("tests/") or "/gen/" in path:
            return []
        return ["%s: \"%s\" is not a path from the root" % (where, name)]
    if layer and top not in BELOW[layer]:
        return ["%s: %s may not include %s (\"%s\")" % (where, layer, top, name)]
    return []


def foreign(path, name, where):
    if path.startswith("tests/"):
        return []
    for pattern, places in FOREIGN:
        if re.match(pattern, name):
            if path.startswith(places):
                return []
            return ["%s: <%s> belongs to %s" % (where, name, ", ".join(places))]
    return []


def check(texts):
    found = []
    for path, text in texts.items():
        if not tidy.is_c(path):
            continue
        last = None
        for match in INCLUDE.finditer(tidy.blank(text, strings=False)):
            where = "%s:%d" % (path, tidy.line_of(text, match.start()))
            last = match.group(2)
            rule = quoted if match.group(1) == '"' else foreign
            found += rule(path, last, where)
        if tidy.layer_of(path) and path.endswith(".c") and "/gen/" not in path and last != "base/banned.h":
            found.append("%s:1: the last include is not \"base/banned.h\"" % path)
    return found


END = '#include "base/banned.h"\n'
BAD = (
    {"base/a.c": '#include "storage/store.h"\n' + END},
    {"mappers/a.c": '#include "storage/store.h"\n' + END},
    {"storage/a.h": '#include "mappers/mapped.h"\n'},
    {"storage/a.c": '#include <uv.h>\n' + END},
    {"exchange/a.c": '#include <sqlite3.h>\n' + END},
    {"exchange/gate/a.c": '#include <openssl/evp.h>\n' + END},
    {"storage/a.c": '#include <openssl/ssl.h>\n' + END},
    {"exchange/a.c": '#include <libxml/tree.h>\n' + END},
    {"base/a.c": END + '#include <stdio.h>\n'},
    {"base/a.c": '#include "slice.h"\n' + END},
    {"tests/unit/base/a_test.c": '#include "exchange/conf.h"\n'},
)
GOOD = (
    {"exchange/a.c": '#include <uv.h>\n#include "storage/store.h"\n' + END},
    {"base/a.c": '/* #include "exchange/conf.h" */\n' + END},
    {"tests/unit/storage/a_test.c": '#include <sqlite3.h>\n#include "storage/store.h"\n'},
)

if __name__ == "__main__":
    tidy.main("includes", check, BAD, GOOD)
