{{- define "shared.name" }}from family{{ end }}
{{- define "only.family" }}family only, for {{ .Chart.Name }}{{ end }}
