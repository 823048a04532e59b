#!/usr/bin/env bash
# Checks form rather than behaviour: layout, protos, scripts, which folder includes what, and clang-tidy.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: tests/lint.sh [--all] [--list] [CHECK ...]

Runs the named checks, or all of them:

  format         clang-format (.clang-format) over every .h and .cc
  layers         no folder includes what stands above it; RocksDB, gRPC and Expat stay in their folders
  shell          shellcheck over every script
  buf-lint       buf lint over proto/ (needs deploy/install-packages.sh --buf)
  buf-breaking   no proto change that stored events or existing callers would feel, against what is committed:
                 uncommitted changes against HEAD, else the last commit that changed proto/ against the one
                 before it. A commit says 'Contract-Break: why' to break the contract knowingly.
  tidy           clang-tidy (.clang-tidy) over the files changed most recently; needs a configured build/gcc

  --all          clang-tidy over every file (slow)
  --list         print the names of the checks
  --help         this text

Prints a line 'ok', 'FAILED' or 'skipped' for each check. Exit status: 0 nothing failed, 1 something did,
2 bad usage, 77 nothing failed and every named check was skipped.
USAGE
}

readonly checks=(format layers shell buf-lint buf-breaking tidy)
readonly tidy_files_max=16

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "${root}"
buf=${root}/build/buf/node_modules/.bin/buf
work=${root}/build/lint
tidy_all=false
# Why the running check was skipped: a check that cannot run sets this and returns 77.
reason=

skip() {
  reason=$1
  return 77
}

in_git() { git rev-parse --git-dir >/dev/null 2>&1; }

# The files matching the globs, committed or not, without build products; one a line.
sources() {
  if in_git; then
    git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while read -r file; do
      if [[ -f ${file} ]]; then echo "${file}"; fi
    done
  else
    local glob
    for glob in "$@"; do
      find . -path ./build -prune -o -name "${glob}" -type f -print | sed 's#^\./##'
    done | sort -u
  fi
}

check_format() {
  local -a files
  mapfile -t files < <(sources '*.h' '*.cc')
  ((${#files[@]} > 0)) || { skip 'there is no C++ yet'; return; }
  clang-format --dry-run --Werror "${files[@]}"
}

# Prints every line of the files under FOLDERS that matches PATTERN; fails when there is one.
forbid() {
  local pattern=$1 why=$2 file found=false
  shift 2
  while read -r file; do
    if grep -nHE "${pattern}" "${file}"; then found=true; fi
  done < <(sources '*.h' '*.cc' | grep -E "$1" | grep -vE "${2:-^$}" || true)
  if [[ ${found} == true ]]; then
    echo "  ${why}"
    return 1
  fi
}

check_layers() {
  local failed=0 include='^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]'
  forbid "${include}(services|projections)/" \
    'storage includes only proto and storage' '^storage/' || failed=1
  forbid "${include}(storage/(event_log|rocksdb|views|vault|merkle)|services|projections/runtime)/?" \
    'rules and policy are pure: they include proto and Abseil' '^projections/(rules|policy)/' || failed=1
  forbid "${include}services/" 'projections stand below services' '^projections/' || failed=1
  forbid "${include}rocksdb/" 'RocksDB stays in storage/rocksdb and storage/views' \
    '^(storage|projections|services)/' '^storage/(rocksdb|views)/' || failed=1
  forbid "${include}(grpcpp|grpc)/|\.grpc\.pb\.h" 'gRPC stays in services' '^(storage|projections)/' || failed=1
  forbid "${include}tests/" 'only tests include tests' '^(storage|projections|services)/' || failed=1
  return "${failed}"
}

check_shell() {
  command -v shellcheck >/dev/null 2>&1 || { skip 'shellcheck is not installed'; return; }
  local -a files
  mapfile -t files < <({ sources '*.sh'; ls .ci/run; } | sort -u)
  shellcheck "${files[@]}"
}

need_buf() {
  [[ -n $(sources '*.proto') ]] || { skip 'there are no protos yet'; return; }
  "${buf}" --version >/dev/null 2>&1 ||
    { skip 'buf is not installed: run deploy/install-packages.sh --buf where npm can be reached'; return; }
}

check_buf_lint() {
  need_buf || return
  "${buf}" lint proto
}

check_buf_breaking() {
  need_buf || return
  in_git || { skip 'not a git checkout: nothing to compare with'; return; }
  local base last why
  if [[ -n $(git status --porcelain -- proto) ]]; then
    base=HEAD
  else
    last=$(git log -1 --format=%H -- proto)
    why=$(git log -1 --format='%(trailers:key=Contract-Break,valueonly)' "${last}")
    [[ -z ${why} ]] || { skip "the last change of proto/ breaks it knowingly: ${why}"; return; }
    base=${last}^
  fi
  if ! git ls-tree -r --name-only "${base}" -- proto 2>/dev/null | grep '\.proto$' >/dev/null; then
    skip 'git holds no earlier protos to compare with'
    return
  fi
  rm -rf "${work}/against"
  mkdir -p "${work}/against"
  git archive "${base}" proto | tar -x -C "${work}/against"
  "${buf}" breaking proto --against "${work}/against/proto"
}

# The .cc files to look at: all of them, or first those not committed, then those committed last.
tidy_files() {
  if [[ ${tidy_all} == true ]] || ! in_git; then
    sources '*.cc'
    return
  fi
  {
    git ls-files --modified --others --exclude-standard -- '*.cc'
    git log --format= --name-only -n 200 -- '*.cc'
  } | awk '!seen[$0]++' | while read -r file; do
    if [[ -f ${file} ]]; then echo "${file}"; fi
  done
}

check_tidy() {
  local database=build/gcc/compile_commands.json
  [[ -f ${database} ]] || { skip 'build/gcc is not configured: run tests/run.sh'; return; }
  local -a files=()
  local file count_max=${tidy_files_max}
  [[ ${tidy_all} == false ]] || count_max=100000
  while read -r file; do
    if ((${#files[@]} < count_max)) && grep -qF "\"${root}/${file}\"" "${database}"; then
      files+=("${file}")
    fi
  done < <(tidy_files)
  ((${#files[@]} > 0)) || { skip 'no file of the build to look at'; return; }
  printf '%s\0' "${files[@]}" |
    xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p build/gcc --extra-arg=-Wno-unknown-warning-option
}

# Runs one check and prints how it went; returns its status.
run_check() {
  local name=$1 status=0 log=${work}/$1.log
  mkdir -p "${work}"
  reason=
  "check_${name//-/_}" >"${log}" 2>&1 || status=$?
  case ${status} in
    0) echo "lint ${name}: ok" ;;
    77) echo "lint ${name}: skipped: ${reason}" ;;
    *)
      grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter' "${log}" | head -n 200 || true
      echo "lint ${name}: FAILED"
      status=1
      ;;
  esac
  return "${status}"
}

named=()
while (($# > 0)); do
  case $1 in
    --all) tidy_all=true ;;
    --list) printf '%s\n' "${checks[@]}"; exit 0 ;;
    --help | -h) usage; exit 0 ;;
    *)
      if [[ " ${checks[*]} " != *" $1 "* ]]; then
        echo "lint: no check is called '$1'" >&2
        usage >&2
        exit 2
      fi
      named+=("$1")
      ;;
  esac
  shift
done
((${#named[@]} > 0)) || named=("${checks[@]}")

failed=0 skipped=0
for name in "${named[@]}"; do
  status=0
  run_check "${name}" || status=$?
  case ${status} in
    0) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
  esac
done
((failed == 0)) || exit 1
((skipped < ${#named[@]})) || exit 77
