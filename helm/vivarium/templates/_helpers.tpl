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
{{- with .Values.ingress }}
{{- if and .enabled .hosts (not $settings.publicUrl) }}
{{- $_ := set $settings "publicUrl" (printf "%s://%s" (empty .tlsSecret | ternary "http" "https") (first .hosts)) }}
{{- end }}
{{- end }}
{{- $dialectHosts := list }}
{{- range .Values.ingress.dialects }}
{{- $dialectHosts = append $dialectHosts .host }}
{{- end }}
{{- $s3 := .Values.artifacts.s3 }}
{{- $bucket := printf "s3://%s/%s" $s3.bucket $s3.prefix | trimSuffix "/" }}
{{- $fixed := dict
      "backend" "kubernetes"
      "host" "0.0.0.0"
      "port" 8000
      "probeHost" "0.0.0.0"
      "probePort" 8001
      "namespace" .Values.sandbox.namespace
      "artifactStore" (empty $s3.bucket | ternary "/var/lib/vivarium/artifacts" $bucket)
      "s3Endpoint" $s3.endpoint
      "s3Region" $s3.region
      "s3PathStyle" $s3.pathStyle
      "s3CaFile" (empty $s3.caSecret | ternary "" "/etc/vivarium-s3/ca.crt")
      "environmentsClaim" (include "vivarium.environmentsClaim" .)
      "packageIndexCredentials" (.Values.environments.enabled | ternary .Values.environments.index.secret "")
      "pistonUrl" (include "vivarium.pistonUrl" .)
      "allowedHosts" (concat $hosts .Values.ingress.hosts $dialectHosts (.Values.config.allowedHosts | default list) | uniq) }}
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

{{/* The claim of the environments; nothing where there are none. */}}
{{- define "vivarium.environmentsClaim" -}}
{{- if .Values.environments.enabled }}
{{- .Values.environments.existingClaim | default "vivarium-environments" }}
{{- end }}
{{- end }}

{{/* Most memory (MiB) of a sandbox: of a run, or of a build. */}}
{{- define "vivarium.maxMemoryMb" -}}
{{- $settings := include "vivarium.settings" . | fromJson }}
{{- .Values.environments.enabled | ternary (max $settings.maxMemoryMb $settings.buildMemoryMb) $settings.maxMemoryMb | int64 }}
{{- end }}

{{/* The claim of the artifacts; nothing where they are in a bucket or in the pod. */}}
{{- define "vivarium.artifactsClaim" -}}
{{- with .Values.artifacts }}
{{- if and .persistent (empty .s3.bucket) }}
{{- .existingClaim | default (printf "%s-artifacts" (include "vivarium.fullname" $)) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The dialects that are asked for, each with its port and the name of that port: a JSON list. */}}
{{- define "vivarium.dialects" -}}
{{- $usual := .Files.Get "files/dialects.json" | fromJson }}
{{- $taken := dict "8000" "MCP and REST" "8001" "probes and metrics" }}
{{- $named := list }}
{{- $dialects := list }}
{{- range (include "vivarium.settings" . | fromJson).dialects }}
{{- $name := splitList ":" . | first }}
{{- $port := contains ":" . | ternary (splitList ":" . | last) (get $usual $name | toString) }}
{{- if hasKey $taken $port }}
{{- fail (printf "config.dialects: %s: port %s is that of %s" . $port (get $taken $port)) }}
{{- end }}
{{- if has $name $named }}
{{- fail (printf "config.dialects: %s is there twice" $name) }}
{{- end }}
{{- $named = append $named $name }}
{{- $_ := set $taken $port $name }}
{{- /* A port's name has 15 characters at most. */}}
{{- $dialects = append $dialects (dict "name" $name "port" (int $port) "portName" ($name | trunc 15 | trimSuffix "-")) }}
{{- end }}
{{- toJson $dialects }}
{{- end }}

{{/* Where the server finds a Piston; nothing where there is none. */}}
{{- define "vivarium.pistonUrl" -}}
{{- with .Values.piston }}
{{- if and .enabled .external.url }}
{{- fail "piston: `enabled` brings a Piston and `external.url` names another; set one of them" }}
{{- end }}
{{- if and .external.tokenSecret (not .external.url) }}
{{- fail "piston.external.tokenSecret: name the Piston that it is for in piston.external.url" }}
{{- end }}
{{- if and .enabled (has .namespace (list $.Release.Namespace $.Values.sandbox.namespace)) }}
{{- fail "piston.namespace: Piston needs a namespace of its own, not that of the release or of the sandboxes" }}
{{- end }}
{{- if and .enabled $.Values.config.pistonPackages }}
{{- fail "config.pistonPackages: the chart's Piston reaches no package index; name its packages in piston.languages" }}
{{- end }}
{{- .enabled | ternary (printf "http://piston.%s:2000" .namespace) .external.url }}
{{- end }}
{{- end }}
