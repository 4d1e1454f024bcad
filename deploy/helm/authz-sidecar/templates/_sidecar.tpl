{{- /*
What goes into a pod that is one's own. Each takes the chart's context: `.` in here, and
`(index .Subcharts "authz-sidecar")` in a chart that depends on this one.

authz-sidecar.container    the container, for initContainers
authz-sidecar.volumes      its volumes
authz-sidecar.podFields    what it needs of the pod: the group, and no variables of services
authz-sidecar.annotations  changes when a setting does, which takes a restart
authz-sidecar.apiMount     the socket for the application
authz-sidecar.edgeMount    the socket for Envoy
*/}}

{{- define "authz-sidecar.container" -}}
name: authz-sidecar
image: {{ include "authz-sidecar.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
# An init container that stays: there before the others start, and until they end.
restartPolicy: Always
args: [serve, --config, /etc/authz/settings/sidecar.yaml]
env:
  # For `authz-sidecar health` and `ask` by exec.
  - name: AUTHZ_ADDRESS
    value: unix:/run/authz/api/authz.sock
  # The image's own is within its root, which is read-only here.
  - name: TMPDIR
    value: /tmp
ports:
  - name: authz-health
    containerPort: {{ .Values.probes.port }}
  {{- if .Values.metrics.enabled }}
  - name: authz-metrics
    containerPort: {{ .Values.metrics.port }}
  {{- end }}
# The ports open last, so a sidecar that answers here answers everywhere.
startupProbe:
  grpc: {port: {{ .Values.probes.port }}, service: live}
  periodSeconds: 1
  timeoutSeconds: 1
  failureThreshold: 60
# `live` says nothing of the database: no restart would bring it back.
livenessProbe:
  grpc: {port: {{ .Values.probes.port }}, service: live}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- if .Values.probes.readiness }}
readinessProbe:
  grpc: {port: {{ .Values.probes.port }}}
  periodSeconds: 2
  timeoutSeconds: 1
  failureThreshold: 2
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- include "authz-sidecar.restricted" (dict "user" .Values.user "group" .Values.group) | nindent 2 }}
volumeMounts:
  - {name: authz-settings, mountPath: /etc/authz/settings, readOnly: true}
  # Whole directories: a file that is mounted by subPath never changes again.
  - {name: authz-database, mountPath: /etc/authz/database, readOnly: true}
  - {name: authz-api, mountPath: /run/authz/api}
  # The engine keeps a socket of its own in a folder there that nobody else can enter.
  - {name: authz-tmp, mountPath: /tmp}
  {{- if .Values.edge.enabled }}
  - {name: authz-routes, mountPath: /etc/authz/routes, readOnly: true}
  - {name: authz-edge, mountPath: /run/authz/edge}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "authz-sidecar.volumes" -}}
- name: authz-settings
  configMap:
    name: {{ include "authz-sidecar.name" . }}-settings
    defaultMode: 0440
- name: authz-database
  secret:
    secretName: {{ .Values.databaseSecret.name }}
    defaultMode: 0440
    items:
      - {key: {{ .Values.databaseSecret.key }}, path: password}
- name: authz-api
  emptyDir: {medium: Memory, sizeLimit: {{ .Values.sockets.sizeLimit }}}
- name: authz-tmp
  emptyDir: {medium: Memory, sizeLimit: {{ .Values.sockets.sizeLimit }}}
{{- if .Values.edge.enabled }}
- name: authz-routes
  configMap:
    name: {{ include "authz-sidecar.routesName" . }}
    defaultMode: 0440
- name: authz-edge
  emptyDir: {medium: Memory, sizeLimit: {{ .Values.sockets.sizeLimit }}}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "authz-sidecar.podFields" -}}
automountServiceAccountToken: false
# A Service that is called authz… would give variables AUTHZ_…, which are settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  # The group of the sockets: containers that mount one can open it.
  fsGroup: {{ .Values.group }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "authz-sidecar.annotations" -}}
checksum/authz-sidecar-settings: {{ include "authz-sidecar.settings" . | sha256sum }}
{{- end }}

{{- /* Read-only: whoever connects needs no right to put another socket there. */}}
{{- define "authz-sidecar.apiMount" -}}
{name: authz-api, mountPath: /run/authz/api, readOnly: true}
{{- end }}

{{- define "authz-sidecar.edgeMount" -}}
{name: authz-edge, mountPath: /run/authz/edge, readOnly: true}
{{- end }}

{{- define "authz-sidecar.restricted" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .group }}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
privileged: false
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}
