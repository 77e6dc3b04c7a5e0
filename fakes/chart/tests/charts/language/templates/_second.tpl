{{- define "twice" }}second{{ end }}
