#!/usr/bin/env bash
# Builds kubectl out of its Go modules where a machine has none. usage: scripts/kubectl.sh FOLDER
set -euo pipefail
into=$(mkdir -p "$1" && cd "$1" && pwd)
version=v0.34.4
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
go mod init kubectl >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
		os.Exit(1)
	}
}
GO
for module in kubectl client-go component-base cli-runtime api apimachinery metrics; do
    go get "k8s.io/$module@$version" >/dev/null
done
go mod tidy >/dev/null
go build -o "$into/kubectl" .
"$into/kubectl" version --client
