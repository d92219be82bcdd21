#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How storage/body_1.dict was made: a dictionary for zstd, trained on bodies and originals of an invented region (none of
# it is about anybody). Needs the zstd command and a build with -DTASUKI_TESTS=ON (tests/tools/body_dump.c).
#
#   sh storage/body_dict.sh BUILD_FOLDER NEW_DICTIONARY
#
# A dictionary that was ever released is never replaced: stores were packed with it. A better one becomes body_2.dict, with
# a first byte of its own in storage/body.c.
set -eu

build=$1
out=$2
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

"$build/tasuki" demo --dir "$work/region" --port-base 0 --patients 300 --seed 1 >"$work/ready" &
server=$!
while ! grep -q '^ready' "$work/ready"; do
    kill -0 "$server"
    sleep 1
done
kill "$server"
wait "$server" || true
server=

mkdir "$work/samples"
"$build/body_dump" "$work/region/data/tasuki.db" "$work/samples"
find "$work/samples" -type f | LC_ALL=C sort >"$work/list"
zstd -q --train --filelist="$work/list" --maxdict=65536 -f -o "$out"
ls -l "$out"
