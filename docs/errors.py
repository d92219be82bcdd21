#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/errors.md from the one error table in base/err.h.

    python3 docs/errors.py           writes docs/errors.md anew
    python3 docs/errors.py --check   exit code 1 if docs/errors.md is not what the table says
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent / "base" / "err.h"
PAGE = HERE / "errors.md"

TEXT = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(
    r"X\((ERR_[A-Z_]+),\s*(\d+),\s*" + TEXT + r",\s*" + TEXT + r",\s*" + TEXT + r",\s*" + TEXT + r",\s*" + TEXT + r"\)"
)

HEAD = """\
# Errors / エラー一覧

Generated from [base/err.h](../base/err.h) by [errors.py](errors.py); do not edit. To regenerate:
`python3 docs/errors.py`; to check: `python3 docs/errors.py --check`.

Every refusal, whatever the door, is one of these codes. It appears

- over FHIR as the HTTP status and an OperationOutcome: `issue.code`, both texts in `issue.details.text`, the name of the
  code in `issue.diagnostics`, the place in `issue.expression` where there is one ([doors/fhir.md](doors/fhir.md));
- over MLLP as `MSA-1` and, for each error, an `ERR` segment: table 0357 in `ERR-3`, the name of the code in `ERR-5`,
  both texts in `ERR-8` ([doors/mllp.md](doors/mllp.md));
- for a watched folder in the `.txt` beside the refused file ([doors/ssmix2.md](doors/ssmix2.md));
- in the audit chain as `outcome` and, where nothing more telling is known, as `reason` ([audit.md](audit.md));
- on the command line as an exit code ([doors/commands.md](doors/commands.md)).

| code | HTTP | MSA-1 | 0357 | FHIR issue | English | 日本語 |
|---|---|---|---|---|---|---|
"""

FOOT = """
`ERR_OK` answers 200, `AA`, 0. One answer lists at most 50 findings (`LIMIT_ERR_ITEMS`); the first error is always among them.
"""


def page(source):
    joined = re.sub(r"\s*\\\n\s*", " ", source)
    start = joined.index("#define ERR_TABLE(X)")
    rows = ROW.findall(joined[start : joined.index("enum err", start)])
    declared = len(re.findall(r"X\(ERR_", joined[start : joined.index("enum err", start)]))
    if not rows or len(rows) != declared:
        raise SystemExit("errors.py: %d of %d rows of base/err.h understood" % (len(rows), declared))
    return HEAD + "".join("| `%s` |" % row[0] + "".join(" %s |" % cell for cell in row[1:]) + "\n" for row in rows) + FOOT


def main():
    text = page(TABLE.read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            raise SystemExit("docs/errors.md is not what base/err.h says; run python3 docs/errors.py")
    elif sys.argv[1:]:
        raise SystemExit(__doc__)
    else:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
