{{- define "name" -}}
{{ .Chart.Name }}-{{ .Release.Name }}
{{- end }}
{{/* defined twice: the last one wins */}}
{{- define "twice" }}first{{ end }}
{{- define "fact" -}}
{{- $n := int . -}}
{{- if le $n 1 }}1{{ else }}{{ mul $n (include "fact" (sub $n 1) | int) }}{{ end -}}
{{- end -}}
{{- define "dot" }}[{{ . }}]{{ end }}
{{- define "vars" }}{{ $x := "inner" }}{{ $x }}{{ end }}
{{- define "returns.json" }}{{ dict "a" (list 1 2) "b" .name | toJson }}{{ end }}
