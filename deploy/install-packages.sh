#!/usr/bin/env bash
# Installs what building, testing and running the customer ledger needs on Debian 12. Run it again at will:
# when everything is there it only asks dpkg and returns.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: deploy/install-packages.sh [--list] [--buf] [--help]

Installs the Debian packages the customer ledger is built, tested and run with, as root or through sudo.

  --list   print every package with what it is for, and install nothing
  --buf    also install buf, which checks the protos, from npm into build/buf; when npm cannot be reached
           this says so and goes on, and tests/lint.sh then skips those checks visibly
  --help   this text

Example:  deploy/install-packages.sh --list
USAGE
}

# One package a line: its name, then what it is for.
packages() {
  cat <<'PACKAGES'
cmake                    configures the build
ninja-build              runs the build
pkg-config               finds gRPC, RocksDB and Abseil for CMake
g++                      GCC 12, the compiler of the default build
ccache                   makes a second build quick
lld                      links quickly with both compilers
clang-14                 second compiler: -Wthread-safety, libFuzzer
libclang-rt-14-dev       clang's sanitizer and fuzzer runtimes
clang-tidy               checks the code in tests/lint.sh
clang-format             checks the layout in tests/lint.sh
shellcheck               checks the scripts in tests/lint.sh
protobuf-compiler        protoc, generates the C++ of proto/
protobuf-compiler-grpc   the gRPC plug-in of protoc
libprotobuf-dev          Protocol Buffers: events, records, policies
libprotoc-dev            named by the CMake files of protobuf and gRPC
libgrpc-dev              gRPC core
libgrpc++-dev            gRPC for C++: every service and client
libc-ares-dev            named by gRPC's build files
libre2-dev               named by gRPC's build files
libssl-dev               OpenSSL: hashes, encryption of personal data, HMAC
zlib1g-dev               reads gzip histories; checksums; named by gRPC
librocksdb-dev           RocksDB: the log and the views on disk
libabsl-dev              Abseil: Status, strings, containers, time
libphonenumber-dev       normalises phone numbers, so that claims on one customer meet
libexpat1-dev            reads XES histories as a stream
libcli11-dev             command lines of ledgerd and ledgerctl
libgtest-dev             GoogleTest, the tests
libgmock-dev             its matchers
libbenchmark-dev         Google Benchmark, the small benchmarks
python3                  counts test results, checks answers in end-to-end tests
git                      buf and clang-format compare with what was committed
procps                   ps and pgrep, for the crash and end-to-end tests
PACKAGES
  # Node.js often comes from elsewhere; Debian's is needed only where there is none, and only for buf.
  if ! command -v node >/dev/null 2>&1; then
    echo 'nodejs                   runs buf'
  fi
  if ! command -v npm >/dev/null 2>&1; then
    echo 'npm                      installs buf'
  fi
}

say() { printf '%s\n' "install-packages: $*"; }

# True when `package` is installed, not merely known or removed with its configuration left.
is_installed() {
  local status
  status=$(dpkg -s "$1" 2>/dev/null) || return 1
  [[ ${status} == *$'\nStatus: install ok installed\n'* ]]
}

install_packages() {
  local -a missing=() as_root=()
  local name purpose
  while read -r name purpose; do
    is_installed "${name}" || missing+=("${name}")
  done < <(packages)
  if ((${#missing[@]} == 0)); then
    say "all packages are installed"
    return
  fi

  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null 2>&1; then
      say "missing: ${missing[*]}" >&2
      say "run this as root, or install sudo" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  say "installing:"
  while read -r name purpose; do
    if [[ " ${missing[*]} " == *" ${name} "* ]]; then
      printf '  %-24s %s\n' "${name}" "${purpose}"
    fi
  done < <(packages)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
  say "all packages are installed"
}

# Puts the pinned buf into build/buf. Never fails: without npm the checks that need buf are skipped, visibly.
install_buf() {
  local pinned=${root}/deploy/buf target=${root}/build/buf
  if [[ -x ${target}/node_modules/.bin/buf ]] && cmp -s "${pinned}/package.json" "${target}/package.json" &&
    "${target}/node_modules/.bin/buf" --version >/dev/null 2>&1; then
    say "buf is installed"
    return
  fi
  mkdir -p "${target}"
  cp "${pinned}/package.json" "${pinned}/package-lock.json" "${target}/"
  # Not `npm ci`: it insists on the packages of every platform, which not every mirror carries. The package's
  # own install script only repeats what npm does with the platform package.
  if timeout 180 npm install --prefix "${target}" --ignore-scripts --no-audit --no-fund --fetch-retries=1 \
    --loglevel=error </dev/null >"${target}/install.log" 2>&1 &&
    "${target}/node_modules/.bin/buf" --version >/dev/null 2>&1; then
    say "buf is installed in build/buf"
  else
    sed 's/^/  /' "${target}/install.log" | head -n 5 >&2
    rm -rf "${target}/node_modules"
    say "buf could not be installed from npm (build/buf/install.log); the proto checks will be skipped" >&2
  fi
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
want_buf=false
while (($# > 0)); do
  case $1 in
    --list) packages; exit 0 ;;
    --buf) want_buf=true ;;
    --help | -h) usage; exit 0 ;;
    *)
      echo "install-packages: unknown option '$1'" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

if ! command -v apt-get >/dev/null 2>&1; then
  say "this needs Debian 12 or a relative of it: there is no apt-get here" >&2
  exit 1
fi
install_packages
if [[ ${want_buf} == true ]]; then
  install_buf
fi
