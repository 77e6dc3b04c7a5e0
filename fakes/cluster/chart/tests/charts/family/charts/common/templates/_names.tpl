{{- define "common.name" -}}
{{ printf "%s-%s" .Release.Name .Chart.Name }}
{{- end }}
{{- define "common.labels" -}}
chart: {{ .Chart.Name }}
part-of: {{ .Values.global.registry | default "none" | quote }}
{{- with .Values.global.shared }}
level: {{ .level }}
{{- end }}
{{- end }}
{{- define "common.object" -}}
{{- $top := first . -}}
{{- $overrides := fromYaml (include (index . 1) $top) | default (dict) -}}
{{- $template := fromYaml (include (index . 2) $top) | default (dict) -}}
{{- toYaml (merge $overrides $template) -}}
{{- end }}
{{- define "common.configmap.base" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "common.name" . }}
data: {origin: library, own: {{ .Values.own | default "none" | quote }}}
{{- end }}
