#!/usr/bin/env bash
# Saved container images for machines of world `talos`, made of static programs: what a machine and its cluster pull, where no registry can be reached.
#
#   talos-images.sh BINARIES TALOSCTL OUT
#
# BINARIES is a folder, or several with colons between them, with etcd, kubelet, kube-apiserver, kube-controller-manager, kube-scheduler and pause, each linked statically; TALOSCTL says what the
# images are called. Where they are there: coredns and kube-proxy, local-path-provisioner, source-controller, kustomize-controller and helm-controller, called as in fixtures/images.json; without
# them a node becomes Ready and an appliance does not come up on it. A statically linked busybox is taken from the search path. OUT gets an archive for each, as container engines save images.
# With a registry, official images do: skopeo copy docker://IMAGE docker-archive:OUT/NAME.tar:IMAGE
set -euo pipefail
[ $# = 3 ] || { sed -n 's/^#   //p' "$0" >&2 && exit 2; }
binaries=$1 talosctl=$2 out=$3
ours=$(cd "$(dirname "$0")/.." && pwd)/fixtures/images.json
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $(uname -m) in aarch64) architecture=arm64 ;; *) architecture=amd64 ;; esac
names=$("$talosctl" image default)

name_of() { # END: the default image whose repository ends so
    grep -E "/$1:" <<<"$names" | head -n 1 | tr -d '[:space:]'
}

found() { # PROGRAM: where it is; fails where it is not
    local folder
    local IFS=:
    for folder in $binaries; do
        [ -f "$folder/$1" ] && echo "$folder/$1" && return
    done
    return 1
}

wanted() { # PROGRAM: where it is; without it there is nothing to make
    found "$1" || { echo "talos-images: there is no $1 in $binaries" >&2 && exit 3; }
}

ours_of() { # END: the image of the appliance's whose repository ends so
    sed -nE "s|^ *\"image\": \"([^\"]*/$1:[^\"]*)\".*|\1|p" "$ours" | head -n 1
}

save() { # NAME ENTRYPOINT [USER]: what is in $work/root becomes an archive
    local name=$1 entrypoint=$2 user=${3:-} file
    [ -n "$name" ] || { echo "talos-images: talosctl names no image for $entrypoint" >&2 && exit 3; }
    file=$out/$(tr '/:' '__' <<<"$name").tar
    tar -C "$work/root" --numeric-owner --owner=0 --group=0 --sort=name --mtime=@0 -cf "$work/layer.tar" .
    sum=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
    printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["%s"],"User":"%s","Env":["PATH=/usr/local/bin:/usr/bin:/bin:/sbin","GNUPGHOME=/tmp"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$architecture" "$entrypoint" "$user" "$sum" >"$work/config.json"
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
    install -m 755 "$(wanted "$program")" "$work/root/usr/local/bin/$program"
    save "$(name_of "$program")" "/usr/local/bin/$program"
done

root
install -m 755 "$(wanted pause)" "$work/root/pause"
save "$(name_of pause)" /pause

# A kubelet mounts: it wants programs for that, users, and a /var/run that is /run.
root
install -m 755 "$(wanted kubelet)" "$work/root/usr/local/bin/kubelet"
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
for applet in $("$busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$work/root/bin/$applet"; done
save docker.io/library/busybox:1 /bin/sh

# Cluster DNS: Talos says with what it is started, and not which program.
if it=$(found coredns); then
    root
    install -m 755 "$it" "$work/root/coredns"
    save "$(name_of coredns)" /coredns
fi

# Its programs for packet filters come from the machine, whose /usr the DaemonSet of talos-lab.yaml puts in the place of this one's.
if it=$(found kube-proxy); then
    root
    rm -rf "$work/root/usr" && mkdir "$work/root/usr"
    for link in bin sbin lib; do ln -s usr/$([ "$link" = sbin ] && echo bin || echo "$link") "$work/root/$link"; done
    ln -s usr/lib64 "$work/root/lib64"
    install -m 755 "$it" "$work/root/kube-proxy"
    save "$(name_of kube-proxy)" /kube-proxy
fi

if it=$(found local-path-provisioner); then
    root
    mkdir -p "$work/root/usr/bin"
    install -m 755 "$it" "$work/root/usr/bin/local-path-provisioner"
    save "$(ours_of local-path-provisioner)" local-path-provisioner
fi

for program in source-controller kustomize-controller helm-controller; do
    it=$(found "$program") || continue
    root
    install -m 755 "$it" "$work/root/usr/local/bin/$program"
    chmod 1777 "$work/root/tmp"
    install -d -m 777 "$work/root/data"
    printf 'nobody:x:65534:65534:nobody:/:/\n' >"$work/root/etc/passwd"
    save "$(ours_of "$program")" "/usr/local/bin/$program" 65534:65534
done
