{{/* vim: set filetype=mustache: */}}
{{/*
The name of the chart.
*/}}
{{- define "shop.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "shop.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "shop.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "shop.render" -}}
{{- $value := typeIs "string" .value | ternary .value (.value | toYaml) }}
{{- if contains "{{" (toJson .value) }}
  {{- if .scope }}
      {{- tpl (cat "{{- with $.RelativeScope -}}" $value "{{- end }}") (merge (dict "RelativeScope" .scope) .context) }}
  {{- else }}
    {{- tpl $value .context }}
  {{- end }}
{{- else }}
    {{- $value }}
{{- end }}
{{- end -}}

{{- define "shop.merge" -}}
{{- $dst := dict -}}
{{- range .values -}}
{{- $dst = include "shop.render" (dict "value" . "context" $.context "scope" $.scope) | fromYaml | merge $dst -}}
{{- end -}}
{{ $dst | toYaml }}
{{- end -}}

{{- define "shop.labels" -}}
{{- if and (hasKey . "custom") (hasKey . "context") -}}
{{- $default := dict "app.kubernetes.io/name" (include "shop.name" .context) "helm.sh/chart" (include "shop.chart" .context) "app.kubernetes.io/instance" .context.Release.Name "app.kubernetes.io/managed-by" .context.Release.Service -}}
{{- with .context.Chart.AppVersion -}}
{{- $_ := set $default "app.kubernetes.io/version" (. | replace "+" "_") -}}
{{- end -}}
{{ template "shop.merge" (dict "values" (list .custom $default) "context" .context) }}
{{- else -}}
app.kubernetes.io/name: {{ include "shop.name" . }}
helm.sh/chart: {{ include "shop.chart" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Chart.AppVersion }}
app.kubernetes.io/version: {{ . | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "shop.matchLabels" -}}
app.kubernetes.io/name: {{ include "shop.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "shop.image" -}}
{{- $registry := (.global).imageRegistry | default .image.registry -}}
{{- $separator := ":" -}}
{{- $termination := .image.tag | default .chart.AppVersion | toString -}}
{{- if .image.digest }}
    {{- $separator = "@" -}}
    {{- $termination = .image.digest | toString -}}
{{- end -}}
{{- if $registry }}
    {{- printf "%s/%s%s%s" $registry .image.repository $separator $termination -}}
{{- else -}}
    {{- printf "%s%s%s" .image.repository $separator $termination -}}
{{- end -}}
{{- end -}}

{{- define "shop.resources.preset" -}}
{{- $presets := dict
  "nano" (dict
      "requests" (dict "cpu" "100m" "memory" "128Mi")
      "limits" (dict "cpu" "150m" "memory" "192Mi")
   )
  "micro" (dict
      "requests" (dict "cpu" "250m" "memory" "256Mi")
      "limits" (dict "cpu" "375m" "memory" "384Mi")
   )
 }}
{{- if hasKey $presets .type -}}
{{- index $presets .type | toYaml -}}
{{- else -}}
{{- printf "ERROR: Preset key '%s' invalid. Allowed values are %s" .type (join "," (keys $presets | sortAlpha)) | fail -}}
{{- end -}}
{{- end -}}

{{- define "shop.capabilities.cronjob" -}}
{{- if semverCompare "<1.21-0" (default .Capabilities.KubeVersion.Version .Values.kubeVersion) -}}
batch/v1beta1
{{- else -}}
batch/v1
{{- end -}}
{{- end -}}

{{- define "shop.password" -}}
{{- $existing := (lookup "v1" "Secret" .Release.Namespace (include "shop.fullname" .)).data | default dict -}}
{{- if .Values.auth.password -}}
{{- .Values.auth.password | toString | b64enc -}}
{{- else if hasKey $existing "password" -}}
{{- index $existing "password" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Release.Namespace | sha256sum | trunc 20 | b64enc -}}
{{- end -}}
{{- end -}}

{{- define "shop.validate" -}}
{{- $messages := list -}}
{{- $messages = append $messages (include "shop.validate.replicas" .) -}}
{{- $messages = append $messages (include "shop.validate.ingress" .) -}}
{{- $messages = without $messages "" -}}
{{- $message := join "\n" $messages -}}
{{- if $message -}}
{{-   printf "\nVALUES VALIDATION:\n%s" $message | fail -}}
{{- end -}}
{{- end -}}

{{- define "shop.validate.replicas" -}}
{{- if and (not .Values.autoscaling.enabled) (lt (int .Values.replicas) 0) -}}
shop: replicas
    There cannot be {{ .Values.replicas }} replicas.
{{- end -}}
{{- end -}}

{{- define "shop.validate.ingress" -}}
{{- if and .Values.ingress.enabled (not .Values.host) -}}
shop: host
    An ingress needs a host.
{{- end -}}
{{- end -}}
