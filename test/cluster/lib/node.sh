# shellcheck shell=bash
# The node: one process with name spaces of its own (node/init), joined to the machine by a pair of
# virtual Ethernet devices. Its process id is recorded with its start time, so that no other process that
# was later given the same number is ever taken for it.

# What the kubelet changes for the whole machine, and what the pods' way out needs.
SYSCTLS=(net.ipv4.ip_forward kernel.panic kernel.panic_on_oops vm.overcommit_memory vm.panic_on_oom
  kernel.keys.root_maxbytes kernel.keys.root_maxkeys)

node_pid() { cut -d' ' -f1 "$STATE/node.pid"; }

node_alive() {
  [[ -f $STATE/node.pid ]] && [[ $(cat "$STATE/node.pid") == "$(node_pid) $(start_time "$(node_pid)")" ]]
}

# The 22nd field of /proc/PID/stat; the second may hold spaces.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

node_ctr() { ctr --address "$STATE/run/containerd/containerd.sock" --namespace k8s.io "$@"; }

node_nft() { nsenter --net --target "$(node_pid)" nft "$@"; }

# The node is started without the lock that `up` holds, since it outlives it.
start_node() {
  mkdir -p "$STATE"/run "$STATE"/var/{lib,log/node,tmp}
  ln -sfn ../run "$STATE/var/run"
  copy_resolv_conf
  make_certs
  sysctl "${SYSCTLS[@]}" >"$STATE/sysctls"
  # shellcheck disable=SC2154 # `up` opens the lock
  setsid unshare --pid --fork --kill-child --mount --propagation private --mount-proc --net --uts --ipc \
    "$HERE/node/init" "$STATE" "$BIN" </dev/null &>"$STATE/var/log/node/init.log" {lock}>&- &
  local unshare=$! pid='' deadline=$((SECONDS + 5))
  until pid=$(tr -d ' ' <"/proc/$unshare/task/$unshare/children") && [[ $pid ]]; do
    ((SECONDS < deadline)) || fail_with_logs "the node did not start"
    sleep 0.02
  done
  echo "$pid $(start_time "$pid")" >"$STATE/node.pid"
  connect_node "$pid"
}

# A resolver on the machine's loopback cannot be reached from the node: take the ones behind it.
copy_resolv_conf() {
  local file=/run/systemd/resolve/resolv.conf
  [[ -f $file ]] || file=/etc/resolv.conf
  cp --dereference "$file" "$STATE/var/resolv.conf"
}

connect_node() {
  ip link add vivarium0 type veth peer name eth0 netns "$1"
  ip address add 10.117.0.1/30 dev vivarium0
  ip link set vivarium0 up
  sysctl -qw net.ipv4.ip_forward=1
  # Out through the machine's address; in from nowhere but the machine itself.
  nft -f - <<END
table ip vivarium {
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr 10.117.0.0/30 oifname != "vivarium0" masquerade
  }
  chain forward {
    type filter hook forward priority filter
    oifname "vivarium0" ct state new drop
  }
}
END
}

stop_node() {
  if node_alive; then
    local pid deadline=$((SECONDS + 60))
    pid=$(node_pid)
    kill -KILL "$pid" # the kernel ends every process of its name space before it is gone
    while node_alive; do
      ((SECONDS < deadline)) || die "process $pid does not end"
      sleep 0.05
    done
  fi
  ip link delete vivarium0 2>/dev/null || true
  nft delete table ip vivarium 2>/dev/null || true
  [[ ! -f $STATE/sysctls ]] || sysctl -qp "$STATE/sysctls"
  find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null || true
  rm -rf --one-file-system "$STATE"
  rmdir "$(dirname "$STATE")" 2>/dev/null || true
}
