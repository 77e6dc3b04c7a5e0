#!/bin/sh
# A machine as `talosctl` shows it. What it says was heard of a real Talos v1.11.0; what happens is in the files of $MACHINE:
#   stage      maintenance | configured | silent | refusing         authority   the secrets that it was configured with
#   etcd       how many looks until etcd is healthy, or `never`     dmesg       what its kernel log says
#   waits      how many calls it refuses after it was configured    kubeconfig  of its cluster
#   forgets    how often it starts again without its configuration, once it was configured
#   calls      every call that was made of it, by us
set -u
cd "${MACHINE:?}" || exit 2
printf '%s\n' "$*" >>calls

words() { # EXIT WORDS: as the program says them
    printf '%s\n' "$2" >&2
    exit "$1"
}
unavailable() { words 1 "rpc error: code = Unavailable desc = connection error: desc = \"$1\""; }
value_of() { # FLAG ARGUMENTS...
    flag=$1
    shift
    while [ $# -gt 0 ]; do
        [ "$1" = "$flag" ] && { printf '%s' "${2:-}"; return; }
        shift
    done
}
less_one() { # FILE: one less of what it counts; succeeds while there is something left
    left=$(cat "$1" 2>/dev/null || echo 0)
    [ "$left" = never ] && return 0
    [ "$left" -gt 0 ] || return 1
    echo $((left - 1)) >"$1"
}
reach() { # as what the machine sees us
    case $(cat stage) in
    silent) exec sleep 60 ;;
    refusing) unavailable 'transport: Error while dialing: dial tcp 10.9.9.9:50000: connect: connection refused' ;;
    esac
    case " $* " in
    *' --insecure '*)
        [ "$(cat stage)" = maintenance ] || unavailable 'error reading server preface: remote error: tls: certificate required'
        ;;
    *)
        [ "$(cat stage)" = maintenance ] &&
            unavailable 'transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority'
        [ -f waits ] && less_one waits &&
            unavailable 'transport: Error while dialing: dial tcp 10.9.9.9:50000: connect: connection refused'
        if [ -f forgets ] && less_one forgets; then
            echo maintenance >stage
            unavailable 'transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate is valid for 10.0.2.15, 127.0.0.1, ::1, not 10.9.9.9'
        fi
        [ "$(sed -n 's/^ *ca: //p' "$(value_of --talosconfig "$@")")" = "$(cat authority)" ] ||
            unavailable 'transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of \"x509: Ed25519 verification failure\" while trying to verify candidate authority certificate \"talos\")'
        ;;
    esac
}

case "$1 ${2:-}" in
'version --client') printf 'Client:\nTalos v1.11.0\n' ;;
'gen secrets') printf 'authority: %s\n' "of-$$" >"$(value_of --output-file "$@")" ;;
'gen config')
    of=$(sed -n 's/^authority: //p' "$(value_of --with-secrets "$@")")
    case $(value_of --output-types "$@") in
    talosconfig) printf 'context: site\ncontexts:\n    site:\n        endpoints: []\n        ca: %s\n        crt: AAAA\n        key: BBBB\n' "$of" ;;
    controlplane) printf '# %s\nversion: v1alpha1\nmachine:\n    ca: %s\n' "$(value_of --install-disk "$@")" "$of" ;;
    esac
    ;;
'get machinestatus')
    reach "$@"
    case $(cat stage) in
    maintenance) printf '{"node": "", "spec": {"stage": "maintenance", "status": {"ready": true, "unmetConditions": []}}}\n' ;;
    *) printf '{"node": "127.0.0.1", "spec": {"stage": "booting", "status": {"ready": false, "unmetConditions": [{"name": "services", "reason": "kubelet not running, etcd not running"}]}}}\n' ;;
    esac
    ;;
'get disks')
    reach "$@"
    printf '{"metadata": {"id": "loop0"}, "spec": {"dev_path": "/dev/loop0", "pretty_size": "144 MB", "readonly": true}}\n'
    printf '{"metadata": {"id": "vda"}, "spec": {"dev_path": "/dev/vda", "pretty_size": "11 GB"}}\n'
    ;;
'apply-config --file')
    reach "$@"
    sed -n 's/^ *ca: //p' "$3" >authority
    cat "$3" >applied
    echo configured >stage
    ;;
'bootstrap '*)
    reach "$@"
    [ -f etcd-data ] && words 1 'error executing bootstrap: 1 error occurred:
	* 127.0.0.1: rpc error: code = AlreadyExists desc = etcd data directory is not empty'
    [ -f early ] && less_one early && words 1 'error executing bootstrap: 1 error occurred:
	* 127.0.0.1: rpc error: code = FailedPrecondition desc = bootstrap is not available yet'
    : >etcd-data
    ;;
'service etcd')
    reach "$@"
    if less_one etcd; then
        printf 'NODE     127.0.0.1\nID       etcd\nSTATE    Preparing\nHEALTH   ?\nEVENTS   [Preparing]: Running pre state (3m39s ago)\n'
    else
        printf 'NODE     127.0.0.1\nID       etcd\nSTATE    Running\nHEALTH   OK\nEVENTS   [Running]: Health check successful (1m8s ago)\n'
    fi
    ;;
'dmesg '*)
    reach "$@"
    cat dmesg 2>/dev/null
    ;;
'logs kubelet') reach "$@" ;;
'kubeconfig '*)
    reach "$@"
    cat kubeconfig >"$2"
    ;;
*) words 1 "unknown command \"$1\" for \"talosctl\"" ;;
esac
