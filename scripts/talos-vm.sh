#!/usr/bin/env bash
# A machine that waits in Talos' maintenance mode, interpreted by QEMU: boots the kernel and the initramfs of a laboratory that was built from Talos' own modules (docs/talos.md) and
# stays in the foreground; whatever ends it takes QEMU and the machine's files with it.
#
#   talos-vm.sh [--address 127.77.1.1] [--disk installed|blank] [--lab DIR] [--memory MIB] [--files DIR] [-- MORE OF QEMU'S ARGUMENTS]
#
# The machine's ports 50000, 6443, 8080 and 3000 are at ADDRESS; from the machine, this one's 127.0.0.1 is 10.0.2.2. A disk that counts as installed asks for no installer; a blank one
# does. FILES has `console.log`, `pid`, and `monitor.in`, which takes QEMU's commands (`system_reset`, `stop`, `cont`); it is a directory that goes with the machine, unless it was named.
#
# The port is open before the machine is there. Ask what it says: talosctl get machinestatus --insecure -n ADDRESS -e ADDRESS
set -euo pipefail

lab=${TALOS_LAB:-} address=${TALOS_VM_ADDRESS:-127.77.1.1} disk=${TALOS_VM_DISK:-installed} memory=${TALOS_VM_MEMORY:-3072} files=${TALOS_VM_FILES:-}
while [ $# -gt 0 ]; do
    case $1 in
    --address) address=$2 ;;
    --disk) disk=$2 ;;
    --lab) lab=$2 ;;
    --memory) memory=$2 ;;
    --files) files=$2 ;;
    --) shift && break ;;
    *) sed -n 's/^#   //p' "$0" >&2 && exit 2 ;;
    esac
    shift 2
done
for file in vmlinuz initramfs.zst; do
    [ -e "$lab/$file" ] || { echo "talos-vm: no $file in the folder ${lab:-that nobody has named} (--lab or TALOS_LAB)" >&2 && exit 3; }
done
for program in qemu-system-x86_64 qemu-img sfdisk; do
    command -v "$program" >/dev/null || { echo "talos-vm: no $program" >&2 && exit 3; }
done

named=$files
[ -n "$files" ] || files=$(mktemp -d)
mkdir -p "$files"
qemu= drain=
finish() {
    trap '' INT TERM HUP
    # A machine that was made to stand still must end as well.
    for it in $qemu $drain; do { kill -KILL "$it" && wait "$it"; } 2>/dev/null || true; done
    rm -f "$files/monitor.in" "$files/monitor.out" "$files/pid" "$files/disk.qcow2" "$files/disk.raw"
    [ -n "$named" ] || rm -rf "$files"
}
trap finish EXIT
trap 'exit 143' INT TERM HUP

zeros() { head -c "$1" /dev/zero; }
store() { # COMMAND...: one half of the partition META, with what the command prints as its sum
    printf '\x5a\x4b\x3c\x2d'
    zeros 262104
    "$@"
    printf '\xa5\xb4\xc3\xd2'
}
truncate -s 10G "$files/disk.raw"
case $disk in
blank) ;;
installed)
    # By its META, empty as it is, Talos takes a disk for installed.
    printf 'label: gpt\nstart=2048, size=2048, name="META"\n' | sfdisk -q "$files/disk.raw"
    sum=$(store zeros 32 | sha256sum | cut -d' ' -f1 | sed 's/../\\x&/g')
    for half in 0 512; do
        # shellcheck disable=SC2059
        store printf "$sum" | dd of="$files/disk.raw" bs=512 seek=$((2048 + half)) conv=notrunc status=none
    done
    ;;
*) echo "talos-vm: --disk is installed or blank, not $disk" >&2 && exit 2 ;;
esac
qemu-img convert -O qcow2 "$files/disk.raw" "$files/disk.qcow2"
rm "$files/disk.raw"
mkfifo "$files/monitor.in" "$files/monitor.out"

# What Talos wants (`slab_nomerge`, `pti`), what a kernel of Debian's has otherwise (`oops`, `kexec`), and what an interpreted one needs (`no_timer_check`).
kernel="talos.platform=metal console=ttyS0 init_on_alloc=1 slab_nomerge= pti=on printk.devkmsg=on oops=panic reboot=k panic=1 no_timer_check"
kernel+=" sysctl.kernel.kexec_load_disabled=1 talos.shutdown=halt talos.dashboard.disabled=1 net.ifnames=0"
network=user,id=network
for port in 50000 6443 8080 3000; do network+=,hostfwd=tcp:$address:$port-:$port; done
qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m "$memory" -display none -no-user-config -nodefaults \
    -kernel "$lab/vmlinuz" -initrd "$lab/initramfs.zst" -append "$kernel" \
    -drive "file=$files/disk.qcow2,if=none,id=disk,format=qcow2,cache=unsafe" -device virtio-blk-pci,drive=disk,serial=lab0 \
    -netdev "$network" -device virtio-net-pci,netdev=network -device virtio-rng-pci \
    -serial "file:$files/console.log" -chardev "pipe,id=monitor,path=$files/monitor" -mon chardev=monitor -pidfile "$files/pid" "$@" &
qemu=$!
echo "talos-vm: $address, files in $files, QEMU is process $qemu"
# What the monitor answers is of no use, and must not fill the pipe.
cat "$files/monitor.out" >/dev/null &
drain=$!
code=0
wait "$qemu" || code=$?
qemu=
exit "$code"
