#!/usr/bin/env bash
# Installs packages, builds, starts ledgerd on its embedded store and shows the ledger at work, on a made-up
# story or on a history of your own.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: deploy/quickstart.sh [FILE --mapping M] [--help]

Without arguments it plays a short story: two salespeople claim one customer, who is first and why, contacts,
a grade, a hand-over, the log followed live, a small history imported, a projection rebuilt.

  FILE          a history of your own (XES, XES.gz, CSV or JSONL), imported into a ledger called 'mine'
  --mapping M   the mapping that says how to read FILE; examples are in deploy/mappings
  --help        this text

Every run starts from an empty data directory, build/quickstart/data. The server it starts ends with it.

Example:  deploy/quickstart.sh orders.csv --mapping deploy/mappings/example.textproto
USAGE
}

bad_usage() {
  echo "quickstart: $*" >&2
  usage >&2
  exit 2
}

history='' mapping=''
while (($# > 0)); do
  case $1 in
    --mapping)
      [[ $# -ge 2 ]] || bad_usage '--mapping needs a file'
      mapping=$2
      shift
      ;;
    --help | -h) usage; exit 0 ;;
    -*) bad_usage "unknown option '$1'" ;;
    *)
      [[ -z ${history} ]] || bad_usage 'one FILE at a time'
      history=$1
      ;;
  esac
  shift
done
if [[ -n ${history} ]]; then
  [[ -n ${mapping} ]] || bad_usage 'FILE needs --mapping M'
  [[ -r ${history} ]] || bad_usage "cannot read ${history}"
  [[ -r ${mapping} ]] || bad_usage "cannot read ${mapping}"
  history=$(realpath -- "${history}")
  mapping=$(realpath -- "${mapping}")
elif [[ -n ${mapping} ]]; then
  bad_usage '--mapping belongs to a FILE'
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "${root}"
place=build/quickstart
data=${place}/data
ctl=build/gcc/bin/ledgerctl
ctl_args=()
server_pid='' follower_pid=''

heading() { printf '\n== %s\n' "$*"; }

fail() {
  echo "quickstart: $*" >&2
  exit 1
}

# Ends what this script started, and nothing else.
stop_all() {
  local status=$?
  trap - EXIT INT TERM
  if [[ -n ${follower_pid} ]]; then kill "${follower_pid}" 2>/dev/null || true; fi
  if [[ -n ${server_pid} ]]; then
    kill -TERM "${server_pid}" 2>/dev/null || true
    timeout 30 tail --pid="${server_pid}" -f /dev/null || kill -KILL "${server_pid}" 2>/dev/null || true
    wait "${server_pid}" 2>/dev/null || true
  fi
  exit "${status}"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Prints a command as it can be typed, then runs it.
show() {
  printf '\n$'
  printf ' %q' "$@"
  printf '\n'
  "$@"
}

ledgerctl() { show "${ctl}" "${ctl_args[@]}" "$@"; }

build() {
  heading 'Packages'
  deploy/install-packages.sh </dev/null
  heading 'Build (a first build takes a few minutes)'
  mkdir -p build/gcc
  cmake -S . -B build/gcc -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ >build/gcc/configure.log 2>&1 ||
    { cat build/gcc/configure.log; fail 'configuring failed'; }
  ninja -C build/gcc ledgerd ledgerctl </dev/null
}

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  if ! is_taken 7420; then
    echo 7420
    return
  fi
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_server() {
  heading 'The server'
  mkdir -p "${place}"
  exec 9>"${place}/lock"
  flock --nonblock 9 || fail "another quickstart is running in ${root}/${place}"
  rm -rf "${data}"
  local port
  port=$(free_port)
  # 7420 is where ledgerctl looks by itself.
  [[ ${port} == 7420 ]] || ctl_args=(--server "127.0.0.1:${port}")
  printf '\n$ build/gcc/bin/ledgerd --data %s --listen 127.0.0.1:%s &\n' "${data}" "${port}"
  build/gcc/bin/ledgerd --data "${data}" --listen "127.0.0.1:${port}" >"${place}/ledgerd.log" 2>&1 </dev/null 9>&- &
  server_pid=$!
  if ! ledgerctl status --wait 30; then
    tail -n 20 "${place}/ledgerd.log" >&2
    fail "ledgerd did not come up; its log is ${place}/ledgerd.log"
  fi
}

# The position of the last event of a ledger: positions are dense from 1, so it is their number.
last_position() { "${ctl}" "${ctl_args[@]}" --ledger "$1" --output jsonl log </dev/null | wc -l; }

story() {
  local -a demo=(--ledger demo)
  local transfer text

  heading 'A ledger, its rules and its staff'
  ledgerctl ledger create demo --policy deploy/policies/default.textproto
  ledgerctl "${demo[@]}" staff add liu
  ledgerctl "${demo[@]}" staff add chen
  ledgerctl "${demo[@]}" staff add wang

  heading 'Two salespeople claim one customer: the same phone, written differently'
  ledgerctl "${demo[@]}" register guest-1 --by liu --name 'Zhang Wei' --phone '+86 138 0013 8000' \
    --email 'zhang.wei@example.com'
  ledgerctl "${demo[@]}" register guest-2 --by chen --name 'Mr. Zhang' --phone '0086-13800138000'
  echo
  echo 'Who is first, and why:'
  ledgerctl "${demo[@]}" owner guest-1
  ledgerctl "${demo[@]}" history guest-1

  heading 'Contacts, a grade, the next call-back'
  ledgerctl "${demo[@]}" contact guest-1 --by liu --channel phone --outcome reached
  ledgerctl "${demo[@]}" grade guest-1 --scheme intent --to A --by liu
  ledgerctl "${demo[@]}" register guest-3 --by chen --name 'Li Na' --phone '+86 139 1111 2222'
  ledgerctl "${demo[@]}" visit guest-3 --by chen
  ledgerctl "${demo[@]}" tier guest-1
  ledgerctl "${demo[@]}" callback guest-1
  ledgerctl "${demo[@]}" callbacks --owner chen

  heading 'A hand-over in two steps: liu proposes, wang accepts'
  text=$(ledgerctl "${demo[@]}" transfer propose guest-1 --from liu --to wang --by liu)
  printf '%s\n' "${text}"
  transfer=$(sed -nE 's/.*[Tt]ransfer[ :=]+([A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*).*/\1/p' <<<"${text}" | tail -n 1)
  [[ -n ${transfer} ]] || fail 'the proposal named no transfer'
  ledgerctl "${demo[@]}" owner guest-1
  ledgerctl "${demo[@]}" transfer accept "${transfer}" --customer guest-1 --by wang
  ledgerctl "${demo[@]}" owner guest-1
  ledgerctl "${demo[@]}" customers --owner wang

  heading 'The log, followed live while events are appended'
  local from
  from=$(($(last_position demo) + 1))
  printf '\n$'
  printf ' %q' "${ctl}" "${ctl_args[@]}" "${demo[@]}" log --from "${from}" --follow --limit 2
  printf ' &\n'
  timeout 60 "${ctl}" "${ctl_args[@]}" "${demo[@]}" log --from "${from}" --follow --limit 2 \
    </dev/null >"${place}/followed" 2>&1 &
  follower_pid=$!
  ledgerctl "${demo[@]}" contact guest-1 --by wang --channel phone --outcome reached
  ledgerctl "${demo[@]}" visit guest-1 --by wang
  wait "${follower_pid}" || { cat "${place}/followed"; fail 'the log could not be followed'; }
  follower_pid=''
  echo
  echo 'What the follower saw:'
  cat "${place}/followed"

  heading 'A history of another system, as evidence: 302 rows'
  ledgerctl ledger create example --policy deploy/policies/recorded.textproto
  ledgerctl --ledger example import deploy/example/history.csv --mapping deploy/mappings/example.textproto
  ledgerctl --ledger example stats
  ledgerctl --ledger example customers --owner zhou

  heading 'A projection rebuilt beside the live one'
  ledgerctl --ledger example rebuild owner --watch
  ledgerctl --ledger example owner guest-032
}

own_history() {
  local -a mine=(--ledger mine)
  local first
  heading 'Your history, as evidence'
  ledgerctl ledger create mine --policy deploy/policies/recorded.textproto
  ledgerctl "${mine[@]}" import "${history}" --mapping "${mapping}"
  ledgerctl "${mine[@]}" stats
  heading 'The owner with most customers'
  first=$("${ctl}" "${ctl_args[@]}" "${mine[@]}" --output json stats </dev/null | python3 -c '
import json, sys
owners = json.load(sys.stdin).get("owners", [])
print(owners[0]["owner"] if owners else "")')
  if [[ -n ${first} ]]; then
    ledgerctl "${mine[@]}" customers --owner "${first}" >"${place}/customers"
    head -n 14 "${place}/customers"
    (($(wc -l <"${place}/customers") <= 14)) || echo "... all of them are in ${place}/customers"
  else
    echo 'Nobody owns a customer: does the mapping name the owner field?'
  fi
  heading 'A projection rebuilt beside the live one'
  ledgerctl "${mine[@]}" rebuild owner --watch
}

build
start_server
if [[ -n ${history} ]]; then own_history; else story; fi

heading 'Done'
cat <<END
The data stay in ${data} until the next quickstart. To go on with them:
  build/gcc/bin/ledgerd --data ${data} &
  build/gcc/bin/ledgerctl --help
END
