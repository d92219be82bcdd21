#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every test, from a fresh Debian 12 as root or with sudo. The last line is "N passed, N failed, N skipped"; the exit code
# is 0 only if nothing failed. tests/README.md says what each step is and how to run one alone.
#
#   sh tests/run.sh [STEP...]      steps: tidy unit clang release fuzz tsan door oracle fault (default: all, in this order)
#
# TASUKI_CORPORA: folder of the test corpora (default: ../shared/data). TASUKI_JOBS: compile jobs. TASUKI_FUZZ_SECONDS: seconds
# for each fuzz target at most, TASUKI_FUZZ_RUNS: inputs tried, TASUKI_FUZZ_SEED: where they begin (0: anywhere). TASUKI_CRASH_ROUNDS: kills of
# the crash test.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$(pwd)
jobs=${TASUKI_JOBS:-$(nproc)}
seconds=${TASUKI_FUZZ_SECONDS:-5}
fuzz_runs=${TASUKI_FUZZ_RUNS:-20000}
fuzz_seed=${TASUKI_FUZZ_SEED:-1}
steps=${*:-tidy unit clang release fuzz tsan door oracle fault}
passed=0
failed=0
skipped=0
wrong=""
began=$(date +%s)
export TASUKI_CORPORA="${TASUKI_CORPORA:-$root/../shared/data}"
# The same dice every time: a run must say the same of the same tree. New inputs are tried by hand, with other seeds.
export TASUKI_HOSTILE_SEED="${TASUKI_HOSTILE_SEED:-1}" TASUKI_ORACLE_SEED="${TASUKI_ORACLE_SEED:-1}"
launcher=""
command -v ccache >/dev/null 2>&1 && launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache"

say() {
    printf '\n== [%4d s] %s\n' $(($(date +%s) - began)) "$*"
}

# count PASSED FAILED SKIPPED WHAT
count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
    [ "$2" -eq 0 ] || wrong="$wrong
  $4: $2 failed"
    printf '   %s: %d passed, %d failed, %d skipped\n' "$4" "$1" "$2" "$3"
}

# one WHAT COMMAND...: the command is one test.
one() {
    what=$1
    shift
    if "$@"; then count 1 0 0 "$what"; else count 0 1 0 "$what"; fi
}

# quiet FILE COMMAND...: its output goes to FILE, and to us only if it fails.
quiet() {
    log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 && return 0
    tail -n 60 "$log"
    return 1
}

# ── what the tests need ──────────────────────────────────────────────────────────────────────────

packages="gcc clang cmake ninja-build pkg-config libuv1-dev libsqlite3-dev libzstd-dev libssl-dev libxml2-dev libxslt1-dev libcmocka-dev
    python3 python3-hl7 curl sqlite3 openssl git libxml2-utils"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

prepare() {
    missing=""
    for p in $packages; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
    done
    clang_major=$(clang --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p' | head -n 1)
    runtime="libclang-rt-${clang_major:-14}-dev"
    dpkg-query -W -f '${Status}' "$runtime" 2>/dev/null | grep -q 'ok installed' || missing="$missing $runtime"
    command -v node >/dev/null 2>&1 || missing="$missing nodejs"
    command -v npm >/dev/null 2>&1 || missing="$missing npm"
    if [ -n "$missing" ]; then
        say "installing:$missing"
        # shellcheck disable=SC2086
        quiet build-test/log/apt.log as_root sh -c "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing" ||
            return 1
    fi
    return 0
}

# ── steps ────────────────────────────────────────────────────────────────────────────────────────

step_tidy() {
    sh tests/tidy/run.sh | tee build-test/log/tidy.log
    line=$(tail -n 1 build-test/log/tidy.log)
    set -- $(printf '%s' "$line" | tr -dc '0-9 ')
    count "${1:-0}" "${2:-1}" 0 tidy
}

build() { # FOLDER TARGETS OPTIONS...: configure and build
    folder=$1
    targets=$2
    shift 2
    # shellcheck disable=SC2086
    quiet "$folder/log/cmake.log" cmake -S . -B "$folder" -G Ninja $launcher "$@" &&
        quiet "$folder/log/ninja.log" ninja -C "$folder" -j "$jobs" -k 0 $targets
}

# Sums up what cmocka said in a verbose ctest log; a program that broke off counts as one failure.
tally_ctest() { # LOG WHAT
    good=$(grep -c '\[       OK \]' "$1")
    bad=$(grep -cE '\[  FAILED  \] [A-Za-z_]' "$1")
    left=$(grep -cE '\[  SKIPPED \] [A-Za-z_]' "$1")
    fuzz=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#[0-9]+: fuzz\..* Passed' "$1")
    broken=$(sed -n 's/.*% tests passed, \([0-9]*\) tests failed out of.*/\1/p' "$1" | tail -n 1)
    bad=$((bad / 2 + bad % 2))
    [ "$bad" -ge "${broken:-1}" ] || bad=${broken:-1}
    left=$((left / 2 + left % 2))
    count $((good + fuzz)) "$bad" "$left" "$2"
    grep -E '^ *skipped: ' "$1" | sed 's/^ */   /' | sort | uniq -c | sort -rn | head -n 20
    [ "$bad" -eq 0 ] || grep -E '\[  FAILED  \]|Sanitizer|runtime error|\*\*\*' "$1" | head -n 60
}

step_unit() {
    say "unit tests and fuzz corpora, gcc, address and undefined-behaviour sanitizers"
    one "build (gcc, sanitizers)" build build-test all -DTASUKI_TESTS=ON -DTASUKI_ASAN=ON -DCMAKE_BUILD_TYPE=Debug
    UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir build-test -V -j "$jobs" >build-test/log/ctest.log 2>&1
    tally_ctest build-test/log/ctest.log "unit tests"
}

step_clang() {
    say "everything once more with clang: compiled, not run"
    one "build (clang)" build build-clang all -DCMAKE_C_COMPILER=clang -DTASUKI_TESTS=ON -DTASUKI_ASAN=ON -DTASUKI_FUZZ=ON \
        -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link
}

step_release() {
    say "the program as people run it: Release, warnings are errors"
    one "build (Release)" build build-release tasuki -DTASUKI_WERROR=ON -DCMAKE_BUILD_TYPE=Release
    one "bench read" quiet build-release/log/read.log build-release/tasuki bench read --seconds 2
    one "bench intake" quiet build-release/log/intake.log build-release/tasuki bench intake --seconds 2
    sed 's/^/   /' build-release/log/read.log build-release/log/intake.log
}

fuzz() { # TARGET
    mkdir -p "build-clang/corpus/$1"
    quiet "build-clang/log/$1.log" "build-clang/$1" -max_total_time="$seconds" -runs="$fuzz_runs" -seed="$fuzz_seed" -max_len=16384 -timeout=60 -rss_limit_mb=1500 \
        -artifact_prefix="build-clang/corpus/" "build-clang/corpus/$1" "tests/fuzz/corpus/$1"
}

step_fuzz() {
    say "each fuzz target: $fuzz_runs inputs from seed $fuzz_seed, at most $seconds s"
    [ -f build-clang/build.ninja ] || step_clang
    for source in tests/fuzz/*_fuzz.c; do
        target=$(basename "$source" .c)
        one "fuzz $target" fuzz "$target"
        sed -n 's/^Done /      /p' "build-clang/log/$target.log"
    done
}

step_tsan() {
    say "what runs on threads, under the thread sanitizer"
    one "build (gcc, thread sanitizer)" build build-tsan \
        "$(cd tests/unit && grep -lE 'pthread|store_open|store_submit|page_render' storage/*_test.c mappers/*_test.c | sed 's|/|_|; s|_test\.c$|_test|' | tr '\n' ' ')" \
        -DTASUKI_TESTS=ON -DTASUKI_TSAN=ON -DCMAKE_BUILD_TYPE=Debug
    quiet_bad=0
    for program in build-tsan/*_test; do
        [ -x "$program" ] || continue
        name=$(basename "$program")
        # Without address randomisation: this sanitizer cannot live with much of it.
        setarch -R "$program" >"build-tsan/log/$name.log" 2>&1 || quiet_bad=1
        good=$(grep -c '\[       OK \]' "build-tsan/log/$name.log")
        if [ "$quiet_bad" -ne 0 ] || grep -q 'WARNING: ThreadSanitizer' "build-tsan/log/$name.log"; then
            grep -E -A 12 'WARNING: ThreadSanitizer|\[  FAILED  \]' "build-tsan/log/$name.log" | head -n 60
            count "$good" 1 0 "tsan $name"
        else
            count "$good" 0 0 "tsan $name"
        fi
        quiet_bad=0
    done
}

# Runs Node tests; FOLDER/*.test.mjs
node_tests() { # FOLDER WHAT
    tap="build-test/log/$2.tap"
    node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=tap --test-reporter-destination="$tap" \
        "$1"/*.test.mjs >"build-test/log/$2.log" 2>&1
    ended=$?
    grep -E '^(▶|✔|✖|﹣)|^ +(✖|﹣)' "build-test/log/$2.log" | head -n 400
    number() { sed -n "s/^# $1 \([0-9]*\).*/\1/p" "$tap" | tail -n 1; }
    bad=$(($(number fail || echo 0) + $(number cancelled || echo 0)))
    [ "$ended" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    count "$(number pass)" "$bad" "$(number skipped)" "$2"
    [ "$bad" -eq 0 ] || sed -n '/failing tests:/,$p' "build-test/log/$2.log" | head -n 200
}

kit() {
    (cd tests/door && quiet "$root/build-test/log/npm.log" npm ci --ignore-scripts --no-audit --no-fund)
}

step_door() {
    say "door tests: the real program, real sockets"
    [ -x build-test/tasuki ] || step_unit
    kit || echo "   the clients from npm could not be installed: their tests are skipped by name"
    TASUKI_CHECK_BODIES=1 node_tests tests/door door
}

step_oracle() {
    say "searches against a second opinion"
    [ -x build-test/tasuki ] || step_unit
    kit || echo "   the second opinion from npm could not be installed: skipped by name"
    node_tests tests/oracle oracle
}

step_fault() {
    say "killed under load"
    node_tests tests/fault fault
}

# ── run ──────────────────────────────────────────────────────────────────────────────────────────

mkdir -p build-test/log
prepare || {
    echo "packages could not be installed"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}
for step in $steps; do
    case $step in
    tidy | unit | clang | release | fuzz | tsan | door | oracle | fault) "step_$step" ;;
    *)
        echo "no such step: $step"
        exit 2
        ;;
    esac
done
say "done"
[ -z "$wrong" ] || printf 'what failed:%s\n\n' "$wrong"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
