#!/usr/bin/env bash
# A tour of a simulated cluster with kubectl: KUBECONFIG names a kept world, or any cluster of ours.
# It works in a namespace of its own and leaves nothing behind. The last line tells how many commands ran.
set -euo pipefail

image=${TOUR_IMAGE:-registry.k8s.io/coredns/coredns:v1.12.1} # an image that every node of ours has
tour=tour
work=$(mktemp -d)
count=0
cleanup() {
    kubectl delete namespace "$tour" --ignore-not-found --wait=false >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT

# What is run, as it is run.
say() { count=$((count + 1)); printf '$ %s\n' "$*"; }
k() { say kubectl "$@"; kubectl "$@"; }
n() { k --namespace "$tour" "$@"; }
# A command that has to fail, and the words that it has to say.
refused() {
    local words=$1; shift
    say kubectl "$@"
    if kubectl "$@" >"$work/said" 2>&1; then echo "this should have been refused"; exit 1; fi
    cat "$work/said"
    grep -qF -- "$words" "$work/said" || { echo "expected: $words"; exit 1; }
}
# Output that has to hold some words.
shows() {
    local words=$1; shift
    say kubectl "$@"
    kubectl "$@" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
    cat "$work/said"
    grep -qF -- "$words" "$work/said" || { echo "expected: $words"; exit 1; }
}

cat >"$work/web.yaml" <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: $tour, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - { name: web, image: "$image", imagePullPolicy: IfNotPresent, ports: [ { name: http, containerPort: 8080 } ] }
YAML

echo "## Who is there"
shows "Server Version: v1." version                             # the server says which Kubernetes it is
k cluster-info                                                  # where the API is
k api-versions                                                  # every group and version
k api-resources --namespaced=true                               # kinds with short names
shows "Number of desired pods" explain deployment.spec.replicas # from the OpenAPI schemas
k get --raw /readyz                                             # the health of the API
k get nodes -o wide                                             # a table with its wide columns
k describe nodes                                                # the node with its pods and events

echo "## Making things"
k create namespace "$tour"                                      # a namespace
n apply -f "$work/web.yaml"                                     # client-side apply
n rollout status deployment/web --timeout=60s                   # waits until it is out
shows unchanged -n "$tour" apply -f "$work/web.yaml"            # the same again changes nothing
n diff -f "$work/web.yaml"                                      # no difference either
n get deployment,replicaset,pods -o wide --show-labels          # several kinds
n get pods -l app=web -o name                                   # by label
n get pods --field-selector status.phase=Running -o json        # by field
n get pods --sort-by=.metadata.creationTimestamp -o custom-columns=NAME:.metadata.name,IP:.status.podIP
n get deployment web -o 'jsonpath={.spec.replicas}{"\n"}'       # one value
n get deployment web -o yaml                                    # all of it
n describe deployment web                                       # with events
n expose deployment web --port=80 --target-port=http            # a Service
n get services,endpoints,endpointslices                         # and what is behind it

echo "## Changing things"
n scale deployment web --replicas=3                             # the scale subresource
n wait --for=jsonpath='{.status.readyReplicas}'=3 deployment/web --timeout=60s
n set env deployment/web COLOUR=blue                            # strategic merge patch
n set resources deployment/web --limits=memory=64Mi
n annotate deployment web kubernetes.io/change-cause=blue       # annotations
n label pods -l app=web seen=true                               # labels
n rollout status deployment/web --timeout=60s
n patch deployment web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":2}]'
n patch deployment web --type=merge -p '{"metadata":{"labels":{"tier":"front"}}}'
n rollout history deployment/web                                # its revisions
n rollout undo deployment/web                                   # back to the one before
n rollout pause deployment/web                                  # no rollout while paused
n rollout resume deployment/web
n rollout restart deployment/web                                # new pods, same specification
n rollout status deployment/web --timeout=60s
KUBE_EDITOR='sed -i s/tier:.front/tier:\ back/' n edit deployment web     # an editor
refused "Apply failed with" -n "$tour" apply --server-side --field-manager=other -f - <<<"$(sed 's/replicas: 2/replicas: 5/' "$work/web.yaml")"
n apply --server-side --force-conflicts -f "$work/web.yaml"     # fields are taken over
n replace -f "$work/web.yaml"                                   # PUT
n rollout status deployment/web --timeout=60s
n create configmap settings --from-literal=colour=blue --dry-run=server -o yaml
n create secret generic password --from-literal=password=example

echo "## Running and looking"
n run one --image="$image" --image-pull-policy=IfNotPresent --restart=Never
n wait --for=condition=Ready pod/one --timeout=60s              # a condition
n logs one --timestamps --tail=5                                # its log
n logs -l app=web --all-containers --prefix --tail=1            # many logs
n events --for pod/one                                          # what happened to it
n get events --field-selector involvedObject.name=one
refused "is not valid for pod one" -n "$tour" exec one -c nobody -- true

say "kubectl port-forward pod/one :8080"
kubectl -n "$tour" port-forward pod/one :8080 >"$work/forward" 2>&1 &
forward=$!
for _ in $(seq 100); do grep -q Forwarding "$work/forward" && break; sleep 0.1; done
port=$(sed -n 's/.*127.0.0.1:\([0-9]*\) .*/\1/p' "$work/forward" | head -1)
exec 3<>"/dev/tcp/127.0.0.1/$port"                              # a connection through the API into the pod
printf 'GET /health HTTP/1.0\r\nHost: pod\r\n\r\n' >&3
grep -m1 HTTP <&3
exec 3>&-
kill "$forward"

echo "## Jobs, roles, tokens"
n create job once --image="$image" -- /coredns --version        # a Job
n create cronjob later --image="$image" --schedule='0 0 * * *' -- /coredns --version
n create job now --from=cronjob/later                           # a Job of a CronJob's template
n create serviceaccount reader
n create role reader --verb=get,list --resource=pods
n create rolebinding reader --role=reader --serviceaccount="$tour:reader"
n create token reader --duration=10m                            # a token of the service account
shows yes -n "$tour" auth can-i list pods --as="system:serviceaccount:$tour:reader"
refused no -n "$tour" auth can-i delete pods --as="system:serviceaccount:$tour:reader"
n auth can-i --list                                             # everything that I may
k auth whoami

echo "## What is refused, and how it is said"
refused "strict decoding error: unknown field \"spec.replicaz\"" -n "$tour" create -f - <<<"$(sed 's/replicas: 2/replicaz: 2/; s/name: web, namespace/name: typo, namespace/' "$work/web.yaml")"
refused "not found" -n "$tour" get pod nobody
refused "field is immutable" -n "$tour" patch deployment web --type=merge -p '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}'
refused "Metrics API not available" top pods                    # nobody measures
refused "doesn't have a resource type" get certificates         # a kind that is not there
k label namespace "$tour" pod-security.kubernetes.io/enforce=restricted
refused "violates PodSecurity \"restricted:latest\"" -n "$tour" run two --image="$image"
k label namespace "$tour" pod-security.kubernetes.io/enforce-

echo "## Nodes"
node=$(kubectl get nodes -o 'jsonpath={.items[0].metadata.name}')
k cordon "$node"                                                # nothing new is scheduled there
k uncordon "$node"
k taint nodes "$node" tour=here:PreferNoSchedule
k taint nodes "$node" tour-
n create poddisruptionbudget web --selector=app=web --min-available=2
refused "violate the pod's disruption budget" drain "$node" --pod-selector=app=web --timeout=6s
k uncordon "$node"

echo "## Taking things away"
n delete poddisruptionbudget web
n delete pod one --grace-period=0 --force                       # at once
n delete deployment web --cascade=orphan                        # its ReplicaSets stay
n wait --for=delete pod/one --timeout=60s
n delete replicasets -l app=web --cascade=foreground            # with their pods first
n delete jobs,cronjobs --all
k delete namespace "$tour" --timeout=120s                       # and everything in it
echo "$count commands"
