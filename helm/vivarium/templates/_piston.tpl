{{- define "vivarium.pistonLabels" -}}
app.kubernetes.io/name: vivarium
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: piston
{{- end }}

{{- define "vivarium.pistonImage" -}}
{{- with .Values.piston.image }}
{{- .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* Piston's settings: a program may have what a run may have. What a request asks beyond these Piston refuses. */}}
{{- define "vivarium.pistonEnv" -}}
{{- $settings := include "vivarium.settings" . | fromJson }}
{{- $milliseconds := mulf $settings.maxTimeoutSeconds 1000 | ceil | int64 }}
{{- $cpuMilliseconds := mulf $milliseconds $settings.maxCpu | ceil | int64 }}
{{- $bytes := mul $settings.maxMemoryMb 1048576 }}
{{- $env := dict
      "PISTON_RUN_TIMEOUT" (toString $milliseconds)
      "PISTON_COMPILE_TIMEOUT" (toString $milliseconds)
      "PISTON_RUN_CPU_TIME" (toString $cpuMilliseconds)
      "PISTON_COMPILE_CPU_TIME" (toString $cpuMilliseconds)
      "PISTON_RUN_MEMORY_LIMIT" (toString $bytes)
      "PISTON_COMPILE_MEMORY_LIMIT" (toString $bytes)
      "PISTON_OUTPUT_MAX_SIZE" (int64 $settings.outputBytes | toString)
      "PISTON_MAX_PROCESS_COUNT" (int64 $settings.maxProcesses | toString)
      "PISTON_MAX_CONCURRENT_JOBS" (include "vivarium.maxReplicas" . | int | max 1 | mul $settings.pistonConcurrency | toString)
      "PISTON_DISABLE_NETWORKING" "true" }}
{{- mergeOverwrite $env .Values.piston.env | toJson }}
{{- end }}

{{/* What installs the packages: the specification of a Job, but for the stamp that is made of it. */}}
{{- define "vivarium.pistonInstall" -}}
{{- with .Values.piston }}
backoffLimit: 2
activeDeadlineSeconds: 3600
template:
  metadata:
    labels:
      {{- include "vivarium.labels" $ | nindent 6 }}
      app.kubernetes.io/component: piston-install
  spec:
    restartPolicy: Never
    automountServiceAccountToken: false
    enableServiceLinks: false
    {{- /* Their claim is of one node: where the one is that waits for the packages. */}}
    affinity:
      podAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          - topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels: {{- include "vivarium.pistonLabels" $ | nindent 16 }}
    {{- with .tolerations }}
    tolerations: {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      runAsUser: 0
      seccompProfile:
        type: RuntimeDefault
    containers:
      - name: install
        image: {{ include "vivarium.pistonImage" $ }}
        imagePullPolicy: {{ .image.pullPolicy }}
        command: [node, --eval]
        args:
          - |
            {{- $.Files.Get "files/install-piston.js" | trim | nindent 12 }}
        terminationMessagePolicy: FallbackToLogsOnError
        env:
          - name: LANGUAGES
            value: {{ toJson .languages | quote }}
          {{- range $name, $value := include "vivarium.pistonEnv" $ | fromJson }}
          - name: {{ $name }}
            value: {{ $value | quote }}
          {{- end }}
          - name: PISTON_BIND_ADDRESS
            value: 127.0.0.1:2000
        resources: {{- toYaml .resources | nindent 10 }}
        {{- /* It runs nothing of a request, and needs no privileges but over files that Piston's own user has. */}}
        securityContext:
          allowPrivilegeEscalation: false
          privileged: false
          capabilities:
            drop: [ALL]
            add: [CHOWN, DAC_OVERRIDE, FOWNER]
        volumeMounts:
          - name: piston
            mountPath: /piston
    volumes:
      - name: piston
        persistentVolumeClaim:
          claimName: piston
{{- end }}
{{- end }}
