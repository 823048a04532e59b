#!/usr/bin/env bash
# Installs what is missing, builds, runs every test and ends with one line that says how it went.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: tests/run.sh [--sanitize | --tsan] [--clang] [--filter REGEX] [--no-install] [--help]

Installs packages, builds and runs the tests. The last line is 'N passed, M failed', with ', K skipped' when
some were; N counts single GoogleTest cases, and scripts and lint checks as one each. Exit status: 0 when
nothing failed, 1 when something did, 2 for bad usage.

  (nothing)         GCC, every test and tests/lint.sh, in build/gcc
  --clang           clang 14 with -Wthread-safety, in build/clang
  --sanitize        AddressSanitizer and UndefinedBehaviorSanitizer, in build/sanitize
  --tsan            ThreadSanitizer over the tests that touch no uninstrumented library, in build/tsan
  --filter REGEX    only the test programs (and lint checks, as lint-NAME) whose name matches
  --no-install      do not look for missing packages

Environment: JOBS, how many compilers and tests run at a time (default: the number of cores, at least 2).

Examples:
  tests/run.sh
  tests/run.sh --sanitize --filter 'merkle|vault'
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sanitize='' clang=false filter='' install=true
while (($# > 0)); do
  case $1 in
    --sanitize) sanitize=address ;;
    --tsan) sanitize=thread ;;
    --clang) clang=true ;;
    --filter)
      [[ $# -ge 2 ]] || { echo 'run.sh: --filter needs a regular expression' >&2; exit 2; }
      filter=$2
      shift
      ;;
    --no-install) install=false ;;
    --help | -h) usage; exit 0 ;;
    *)
      echo "run.sh: unknown option '$1'" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

jobs=${JOBS:-$(nproc)}
((jobs >= 2)) || jobs=2

variant=gcc
case ${sanitize} in
  address) variant=sanitize ;;
  thread) variant=tsan ;;
esac
if [[ ${clang} == true ]]; then
  if [[ -n ${sanitize} ]]; then variant=clang-${variant}; else variant=clang; fi
fi
build=${root}/build/${variant}
reports=${build}/reports

heading() { printf '\n== %s\n' "$*"; }

# Ends the run where there is nothing to count.
give_up() {
  echo "$*"
  echo '0 passed, 1 failed'
  exit 1
}

if [[ ${install} == true ]]; then
  heading 'packages'
  "${root}/deploy/install-packages.sh" --buf </dev/null || give_up 'packages could not be installed'
fi

heading "build (${variant})"
compilers=(-DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++)
# clang is there for its warnings and its second opinion, not for speed: unoptimised, it builds in half the time.
[[ ${clang} == false ]] ||
  compilers=(-DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_BUILD_TYPE=Debug)
mkdir -p "${build}"
cmake -S "${root}" -B "${build}" -G Ninja "${compilers[@]}" "-DLEDGER_SANITIZE=${sanitize}" -DLEDGER_TESTS=ON \
  >"${build}/configure.log" 2>&1 || {
  cat "${build}/configure.log"
  give_up 'configuring failed'
}

select=()
[[ -z ${filter} ]] || select+=(-R "${filter}")
[[ ${sanitize} != thread ]] || select+=(-L '^tsan$')

# A ThreadSanitizer build of everything would double the time for programs that are not run: only theirs.
targets=()
if [[ ${sanitize} == thread ]]; then
  mapfile -t targets < <(ctest --test-dir "${build}" "${select[@]}" --show-only=json-v1 |
    python3 -c 'import json, sys; [print(test["name"]) for test in json.load(sys.stdin)["tests"]]')
  ((${#targets[@]} > 0)) || give_up 'no test is marked for ThreadSanitizer'
fi
ninja -C "${build}" -j "${jobs}" "${targets[@]}" </dev/null || give_up 'the build failed'

heading "tests (${variant})"
rm -rf "${reports}"
mkdir -p "${reports}"
export GTEST_OUTPUT="xml:${reports}/" GTEST_COLOR=no
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}"
runner=()
# ThreadSanitizer of this age cannot place its memory when the kernel randomises addresses widely.
if [[ ${sanitize} == thread ]] && setarch "$(uname -m)" -R true 2>/dev/null; then
  runner=(setarch "$(uname -m)" -R)
fi
"${runner[@]}" ctest --test-dir "${build}" "${select[@]}" --parallel "${jobs}" --output-on-failure \
  --output-junit "${reports}/ctest.junit" </dev/null || true
unset GTEST_OUTPUT

: >"${reports}/lint"
if [[ ${variant} == gcc ]]; then
  heading 'lint'
  while read -r check; do
    [[ "lint-${check}" =~ ${filter} ]] || continue
    "${root}/tests/lint.sh" "${check}" </dev/null | tee -a "${reports}/lint" || true
  done < <("${root}/tests/lint.sh" --list)
fi

heading "result (${variant})"
python3 "${root}/tests/count_results.py" "${reports}"
