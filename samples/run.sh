#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh checkout to a running sample region: installs the Debian packages that are missing (as root or
# with sudo), builds Release into build/ and starts `tasuki demo` in the foreground with this script's arguments.
# Everything but the ready line goes to stderr. Debian 12, Debian 13, Ubuntu 24.04.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
packages="cmake ninja-build gcc libc6-dev pkg-config libuv1-dev libsqlite3-dev libzstd-dev libssl-dev libxml2-dev libxslt1-dev"

missing=
for package in $packages; do
    # pkg-config is a virtual package of pkgconf on newer systems: the command decides.
    if [ "$package" = pkg-config ] && command -v pkg-config >/dev/null 2>&1; then
        continue
    fi
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing="$missing $package"
done

if [ -n "$missing" ]; then
    echo "installing:$missing" >&2
    if [ "$(id -u)" -eq 0 ]; then
        sudo=
    elif command -v sudo >/dev/null 2>&1; then
        sudo=sudo
    else
        echo "these packages are missing and there is neither root nor sudo:$missing" >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
fi

cmake -S "$root" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=Release >&2
cmake --build "$root/build" --target tasuki >&2
exec "$root/build/tasuki" demo "$@"
