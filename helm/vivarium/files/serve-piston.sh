# A privileged container sees the cgroups of its whole node, and Piston makes its own at the top of those that it sees. So it
# is shown those of its container alone: its programs stay within the pod's limits, and nothing is left behind that the next
# start would stumble over. All this stays process 1, as Piston expects it.
exec unshare --cgroup --mount bash -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec /piston_api/src/docker-entrypoint.sh'
