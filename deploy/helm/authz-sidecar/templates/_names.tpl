{{- /* The name of everything that this release has. */}}
{{- define "authz-sidecar.name" -}}
{{- if contains "authz-sidecar" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-authz-sidecar" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "authz-sidecar.labels" -}}
app.kubernetes.io/name: authz-sidecar
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* The labels of the pods that policies, budgets and monitors are about. */}}
{{- define "authz-sidecar.podLabels" -}}
{{- if .Values.podLabels -}}
{{- toYaml .Values.podLabels -}}
{{- else if .Values.example.enabled -}}
{{- include "authz-sidecar.exampleLabels" . -}}
{{- else -}}
{{- fail "podLabels must say which pods have the sidecar, unless example.enabled" -}}
{{- end -}}
{{- end }}

{{- define "authz-sidecar.exampleLabels" -}}
app.kubernetes.io/name: {{ include "authz-sidecar.name" . }}-example
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "authz-sidecar.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "authz-sidecar.routesName" -}}
{{- .Values.edge.existingConfigMap | default (printf "%s-routes" (include "authz-sidecar.name" .)) -}}
{{- end }}
