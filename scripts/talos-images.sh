#!/usr/bin/env bash
# Saved container images for machines of world `talos`, made of static programs: what a machine pulls before there is a node, where no registry can be reached.
#
#   talos-images.sh BINARIES TALOSCTL OUT
#
# BINARIES has etcd, kubelet, kube-apiserver, kube-controller-manager, kube-scheduler and pause, each linked statically; TALOSCTL says what the images are called. A statically
# linked busybox is taken from the search path. OUT gets an archive for each, as container engines save images. With a registry, official images do: skopeo copy docker://IMAGE docker-archive:OUT/NAME.tar:IMAGE
set -euo pipefail
[ $# = 3 ] || { sed -n 's/^#   //p' "$0" >&2 && exit 2; }
binaries=$1 talosctl=$2 out=$3
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $(uname -m) in aarch64) architecture=arm64 ;; *) architecture=amd64 ;; esac
names=$("$talosctl" image default)

name_of() { # END: the default image whose repository ends so
    grep -E "/$1:" <<<"$names" | head -n 1 | tr -d '[:space:]'
}

save() { # NAME ENTRYPOINT: what is in $work/root becomes an archive
    local name=$1 entrypoint=$2 file
    [ -n "$name" ] || { echo "talos-images: talosctl names no image for $entrypoint" >&2 && exit 3; }
    file=$out/$(tr '/:' '__' <<<"$name").tar
    tar -C "$work/root" --numeric-owner --owner=0 --group=0 --sort=name --mtime=@0 -cf "$work/layer.tar" .
    sum=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
    printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["%s"],"Env":["PATH=/usr/local/bin:/usr/bin:/bin:/sbin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$architecture" "$entrypoint" "$sum" >"$work/config.json"
    printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$name" >"$work/manifest.json"
    tar -C "$work" -cf "$file" config.json layer.tar manifest.json
    echo "$file"
}

root() { # a root with nothing in it
    rm -rf "$work/root"
    mkdir -p "$work/root/usr/local/bin" "$work/root/etc" "$work/root/tmp"
}

for program in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    root
    install -m 755 "$binaries/$program" "$work/root/usr/local/bin/$program"
    save "$(name_of "$program")" "/usr/local/bin/$program"
done

root
install -m 755 "$binaries/pause" "$work/root/pause"
save "$(name_of pause)" /pause

# A kubelet mounts: it wants programs for that, users, and a /var/run that is /run.
root
install -m 755 "$binaries/kubelet" "$work/root/usr/local/bin/kubelet"
busybox=$(command -v busybox)
mkdir -p "$work/root/bin" "$work/root/sbin" "$work/root/run" "$work/root/var"
install -m 755 "$busybox" "$work/root/bin/busybox"
for applet in sh mount umount cp ln ls cat nsenter findmnt find tar; do ln -s busybox "$work/root/bin/$applet"; done
ln -s /run "$work/root/var/run"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$work/root/etc/passwd"
printf 'root:x:0:\n' >"$work/root/etc/group"
save "$(name_of kubelet)" /usr/local/bin/kubelet

root
mkdir -p "$work/root/bin"
install -m 755 "$busybox" "$work/root/bin/busybox"
for applet in sh printf sleep cat; do ln -s busybox "$work/root/bin/$applet"; done
save docker.io/library/busybox:1 /bin/sh
