#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every tidy check; the last line is "tidy: N passed, N failed". Exit code 1 if one found something.
here=$(cd "$(dirname "$0")" && pwd)
passed=0
failed=0
for check in includes lengths headers grants words docs; do
    if PYTHONDONTWRITEBYTECODE=1 python3 "$here/$check.py"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "tidy: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
