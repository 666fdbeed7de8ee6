# shellcheck shell=bash
# Certificates and kubeconfigs, made anew for every cluster.

PKI=$STATE/var/pki

make_certs() {
  mkdir -p "$PKI"
  issue ca /CN=vivarium-ca critical,CA:TRUE
  issue apiserver /CN=kube-apiserver critical,CA:FALSE IP:10.117.0.2,IP:10.119.0.1,IP:127.0.0.1,$(
  )DNS:kubernetes.default.svc.cluster.local,DNS:kubernetes.default.svc,DNS:kubernetes.default,DNS:kubernetes
  issue accounts /CN=service-accounts critical,CA:FALSE

  user admin /O=system:masters/CN=admin
  user controllers /CN=system:kube-controller-manager
  user scheduler /CN=system:kube-scheduler
  user proxy /CN=system:kube-proxy
  user coredns /CN=coredns
  user kubelet /O=system:nodes/CN=system:node:vivarium IP:10.117.0.2
  install -m 600 "$PKI/admin.kubeconfig" "$KUBECONFIG"
}

# issue NAME SUBJECT CONSTRAINTS [ALTERNATIVE NAMES]
issue() {
  local args=(-subj "$2" -addext "basicConstraints=$3")
  [[ $1 == ca ]] || args+=(-CA "$PKI/ca.crt" -CAkey "$PKI/ca.key")
  [[ -z ${4:-} ]] || args+=(-addext "subjectAltName=$4")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -config <(printf '[req]\ndistinguished_name = dn\n[dn]\n') \
    -keyout "$PKI/$1.key" -out "$PKI/$1.crt" "${args[@]}" 2>"$PKI/openssl.log" ||
    die "openssl: $(cat "$PKI/openssl.log")"
}

# user NAME SUBJECT [ALTERNATIVE NAMES]: a client certificate and its kubeconfig
user() {
  issue "$1" "$2" critical,CA:FALSE "${3:-}"
  cat >"$PKI/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: vivarium
contexts: [{ name: vivarium, context: { cluster: vivarium, user: $1 } }]
clusters:
  - name: vivarium
    cluster:
      server: https://10.117.0.2:6443
      certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
  - name: $1
    user:
      client-certificate-data: $(base64 -w0 "$PKI/$1.crt")
      client-key-data: $(base64 -w0 "$PKI/$1.key")
END
}
