# shellcheck shell=bash
# Builds every program of the cluster from source into the cache, once a version.

KUBERNETES=1.36.3 # the version that kube/go.mod requires
CONTAINERD=2.4.2
RUNC=1.5.2
CNI_PLUGINS=1.9.1
COREDNS=1.14.7
HELM=4.3.1

PACKAGES=(ca-certificates curl gcc iproute2 libc6-dev libseccomp-dev nftables openssl pkg-config procps
  busybox-static util-linux)

install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  local command="apt-get install -y --no-install-recommends ${missing[*]}"
  [[ $(id -u) == 0 && -x /usr/bin/apt-get ]] || die "packages are missing: $command"
  say "installing ${missing[*]}"
  mkdir -p "$CACHE"
  logged "$CACHE/apt.log" apt-get update
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive logged "$CACHE/apt.log" $command
}

# built NAME-VERSION TIME FUNCTION: run the function in an empty directory that becomes the cache
# entry when it succeeds; link what it made into bin.
built() {
  local entry=$CACHE/$1 work=$CACHE/$1.partial
  if [[ ! -d $entry ]]; then
    say "building $1 (about $2 on two cores)"
    rm -rf "$work" && mkdir -p "$work"
    logged "$CACHE/$1.log" in_folder "$work" "$3"
    mv "$work" "$entry"
  fi
  ln -sf "$entry"/* "$BIN/"
}

in_folder() { cd "$1" && GOBIN=$1 "$2"; }

go_install() { go install -trimpath -ldflags '-s -w' "$@"; }

make_kube() {
  local version=k8s.io/component-base/version name
  CGO_ENABLED=0 go -C "$HERE/kube" build -trimpath -o "$PWD/" -ldflags "-s -w
    -X $version.gitVersion=v$KUBERNETES -X $version.gitMajor=${KUBERNETES%%.*}
    -X $version.gitMinor=$(cut -d. -f2 <<<$KUBERNETES)" . ./isolate
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl netpol volumes; do
    ln -s kube "$name"
  done
}

make_containerd() {
  local repo=github.com/containerd/containerd/v2 name
  for name in containerd containerd-shim-runc-v2 ctr; do
    CGO_ENABLED=0 go_install $repo/cmd/$name@v$CONTAINERD
  done
}

make_runc() { CGO_ENABLED=1 go_install -tags seccomp github.com/opencontainers/runc@v$RUNC; }

make_cni() {
  local repo=github.com/containernetworking/plugins/plugins name
  for name in main/bridge main/loopback ipam/host-local; do
    CGO_ENABLED=0 go_install $repo/$name@v$CNI_PLUGINS
  done
}

make_coredns() { CGO_ENABLED=0 go_install github.com/coredns/coredns@v$COREDNS; }

make_helm() {
  CGO_ENABLED=0 go install -trimpath \
    -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v$HELM" helm.sh/helm/v4/cmd/helm@v$HELM
}

build_tools() {
  mkdir -p "$BIN"
  install_packages "${PACKAGES[@]}"
  command -v go >/dev/null || die "Go 1.26 or later is needed to build the cluster: https://go.dev/dl"
  built "kube-$KUBERNETES-$(digest "$HERE/kube")" '8 minutes' make_kube
  built "containerd-$CONTAINERD" '1 minute' make_containerd
  built "runc-$RUNC" '15 seconds' make_runc
  built "cni-$CNI_PLUGINS" '30 seconds' make_cni
  built "coredns-$COREDNS" '2 minutes' make_coredns
  built "helm-$HELM" '2 minutes' make_helm
}
