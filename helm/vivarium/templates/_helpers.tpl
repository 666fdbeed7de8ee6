{{/* A pod's name is the replica's name, which has 52 characters at most: 17 go to the hashes after this one. */}}
{{- define "vivarium.fullname" -}}
{{- $default := contains "vivarium" .Release.Name | ternary .Release.Name (printf "%s-vivarium" .Release.Name) }}
{{- .Values.fullnameOverride | default $default | trunc 35 | trimSuffix "-" }}
{{- end }}

{{- define "vivarium.selectorLabels" -}}
app.kubernetes.io/name: vivarium
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "vivarium.labels" -}}
app.kubernetes.io/name: vivarium
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "vivarium.image" -}}
{{- with .Values.image }}
{{- .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Every setting of the server, as JSON: the defaults, the values under `config`, and what only the chart knows. */}}
{{- define "vivarium.settings" -}}
{{- $name := include "vivarium.fullname" . }}
{{- $service := printf "%s.%s" $name .Release.Namespace }}
{{- $hosts := list "localhost" "127.0.0.1" "[::1]" $name $service (printf "%s.svc" $service) (printf "%s.svc.cluster.local" $service) }}
{{- $settings := mergeOverwrite (.Files.Get "files/settings.json" | fromJson) (deepCopy .Values.config) }}
{{- $fixed := dict
      "backend" "kubernetes"
      "host" "0.0.0.0"
      "port" 8000
      "probeHost" "0.0.0.0"
      "probePort" 8001
      "namespace" .Values.sandbox.namespace
      "allowedHosts" (concat $hosts .Values.ingress.hosts (.Values.config.allowedHosts | default list) | uniq) }}
{{- merge $fixed $settings | toPrettyJson }}
{{- end }}

{{/* The pools as the server completes them: a JSON list. */}}
{{- define "vivarium.pools" -}}
{{- $settings := include "vivarium.settings" . | fromJson }}
{{- $pools := list }}
{{- range $settings.pools }}
{{- $pools = append $pools (dict
      "name" .name
      "min" .min
      "max" .max
      "image" (dig "image" $settings.image .)
      "runtimeClass" (dig "runtimeClass" $settings.runtimeClass .)
      "cpu" (dig "cpu" $settings.defaultCpu .)
      "memoryMb" (dig "memoryMb" $settings.defaultMemoryMb .)) }}
{{- end }}
{{- toJson $pools }}
{{- end }}

{{/* Thousandths of a CPU that a sandbox requests: of `cpu`, the part `cpuReserved`. */}}
{{- define "vivarium.requestedCpu" -}}
{{- mulf .cpu .cpuReserved 1000 | ceil | int64 }}
{{- end }}

{{/* Most replicas that run at one time, but for an upgrade. */}}
{{- define "vivarium.maxReplicas" -}}
{{- .Values.autoscaling.enabled | ternary .Values.autoscaling.maxReplicas .Values.replicas }}
{{- end }}
