{{- /* The file of settings: what is given, and what the pod's shape demands. */}}
{{- define "authz-sidecar.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $database := dict "password_file" "/etc/authz/database/password" -}}
{{- $_ := set $settings "database" (mergeOverwrite (deepCopy ($settings.database | default dict)) $database) -}}
{{- $listeners := list (dict
  "address" "unix:/run/authz/api/authz.sock"
  "mode" "0660"
  "services" (list "api" "health" "watch")
  "explain" .Values.listeners.explain) -}}
{{- if .Values.edge.enabled -}}
{{- $edge := dict "routes_file" "/etc/authz/routes/routes.yaml" -}}
{{- $_ := set $settings "edge" (mergeOverwrite (deepCopy ($settings.edge | default dict)) $edge) -}}
{{- $listeners = append $listeners (dict
  "address" "unix:/run/authz/edge/authz.sock"
  "mode" "0660"
  "services" (list "edge" "health")
  "explain" false) -}}
{{- end -}}
{{- $listeners = concat $listeners .Values.listeners.extra -}}
{{- /* The last to open: when it answers, all do. */ -}}
{{- $listeners = append $listeners (dict
  "address" (printf "%s:%v" .Values.bind .Values.probes.port)
  "services" (list "health")
  "explain" false) -}}
{{- $_ := set $settings "listeners" $listeners -}}
{{- $address := ternary (printf "%s:%v" .Values.bind .Values.metrics.port) nil .Values.metrics.enabled -}}
{{- $_ := set $settings "metrics" (dict "address" $address) -}}
{{- toYaml $settings -}}
{{- end }}

{{- /* How long the pod may take to end, in seconds. */}}
{{- define "authz-sidecar.endSeconds" -}}
{{- $stop := .Values.settings.stop | default dict -}}
{{- $linger := dig "linger_seconds" 2 $stop -}}
{{- $grace := dig "grace_seconds" 10 $stop -}}
{{- $flush := dig "decision_log" "flush_seconds" 2 .Values.settings -}}
{{- /* Another ten, so that nothing is killed a moment before it is done. */ -}}
{{- ceil (addf .Values.example.drainSeconds $linger $grace $flush 10) | int -}}
{{- end }}
