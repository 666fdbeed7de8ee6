# shellcheck shell=bash disable=SC2034 # those who source this use its variables
# Where things are, and how to talk to the person who runs this.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/vivarium/cluster
STATE=${XDG_STATE_HOME:-$HOME/.local/state}/vivarium/cluster
BIN=$CACHE/bin
export KUBECONFIG=$STATE/kubeconfig KUBECACHEDIR=$STATE/kubectl
export PATH=$BIN:$PATH:/usr/sbin:/sbin

say() { echo "==> $*" >&2; }

die() {
  echo "error: $*" >&2
  exit 1
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds. On time-out, or as soon as the
# node has stopped, show its log.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    node_alive || fail_with_logs "the node stopped while waiting for $what"
    ((SECONDS < deadline)) || fail_with_logs "gave up waiting for $what"
    sleep 0.1
  done
}

fail_with_logs() {
  local log
  for log in "$STATE"/var/log/node/*.log; do
    echo "--- end of $log" >&2
    tail -n 8 "$log" | cut -c1-400 >&2
  done
  die "$1"
}

# logged LOG COMMAND...: stops at the command's first failure and then shows the log's end.
# (A plain `|| die` would make bash ignore every failure inside the command but the last.)
logged() {
  local status
  set +e
  (set -e && "${@:2}") &>"$1"
  status=$?
  set -e
  ((status == 0)) || die "$2 failed; the end of $1:"$'\n'"$(tail -n 8 "$1")"
}

need_root() {
  [[ $(id -u) == 0 ]] || die "this starts a Kubernetes node: run it as root, or install Docker and kind is used instead"
}

has_docker() { docker info >/dev/null 2>&1; }

# digest FOLDER [PATH...]: a short name for the contents of the paths in it, the same wherever it stands.
digest() (
  cd "$1"
  find "${@:2}" -type f -not -path '*/.*' -not -path '*/__pycache__/*' -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12
)
