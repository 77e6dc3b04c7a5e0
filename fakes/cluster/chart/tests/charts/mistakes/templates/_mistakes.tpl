{{- define "mistakes.inner" -}}
{{ .missing.deeper }}
{{- end }}
{{- define "mistakes.outer" -}}
name: {{ include "mistakes.inner" . }}
{{- end }}
{{- define "mistakes.required" -}}
{{ required "a name is required" .Values.name }}
{{- end }}
{{- define "mistakes.endless" -}}
{{ include "mistakes.endless" . }}
{{- end }}
