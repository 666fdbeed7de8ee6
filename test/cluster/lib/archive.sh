# shellcheck shell=bash
# Container images without a registry: a root file system as an archive that containerd and buildah load.

# docker_archive ROOTFS.tar NAME:TAG CONFIG-JSON OUT.tar
docker_archive() {
  local work epoch=1970-01-01T00:00:00Z # buildah's layer cache misses on a base that has no time
  work=$(mktemp -d)
  ln -s "$(realpath "$1")" "$work/layer.tar"
  cat >"$work/config.json" <<END
{ "architecture": "$(dpkg --print-architecture)", "os": "linux", "created": "$epoch", "config": $3,
  "history": [{ "created": "$epoch", "created_by": "tar" }],
  "rootfs": { "type": "layers", "diff_ids": ["sha256:$(sha256sum <"$1" | cut -d' ' -f1)"] } }
END
  printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$2" >"$work/manifest.json"
  tar --dereference -cf "$4" -C "$work" config.json manifest.json layer.tar
  rm -r "$work"
}

# The image of the pods' sandbox container and of the cluster's own check.
busybox_archive() {
  local root=$STATE/busybox
  mkdir -p "$root"/{bin,etc,tmp}
  busybox --list | sed "s|.*|$root/bin/&|" | xargs -n1 ln -sf busybox
  cp --remove-destination "$(command -v busybox)" "$root/bin/busybox"
  tar -cf "$root.rootfs" --owner=0 --group=0 -C "$root" .
  docker_archive "$root.rootfs" docker.io/library/busybox:local '{"Cmd":["/bin/sleep","infinity"]}' "$1"
  rm -r "$root" "$root.rootfs"
}
