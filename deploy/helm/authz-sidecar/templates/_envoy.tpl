{{- /*
The Envoy configuration that deploy/envoy ships, in a pod: at its ports, asking at the
pod's socket, with a listener for the kubelet.
*/}}
{{- define "authz-sidecar.envoy" -}}
{{- $example := .Values.example -}}
{{- $config := .Files.Get "files/envoy.yaml" | fromYaml -}}
{{- $_ := set $config.admin.address.socket_address "port_value" $example.envoy.adminPort -}}
{{- $resources := $config.static_resources -}}
{{- $ingress := first $resources.listeners -}}
{{- $_ := set $ingress.address.socket_address "port_value" $example.envoy.port -}}
{{- $_ := set $ingress.address.socket_address "address" (.Values.bind | trimAll "[]") -}}
{{- $chain := first $ingress.filter_chains -}}
{{- $manager := (first $chain.filters).typed_config -}}
{{- $host := first $manager.route_config.virtual_hosts -}}
{{- $extensions := (index $host.typed_per_filter_config "envoy.filters.http.ext_authz").check_settings.context_extensions -}}
{{- $_ := set $extensions "rule_set" $example.envoy.ruleSet -}}
{{- range $resources.clusters -}}
{{- $endpoint := (first (first .load_assignment.endpoints).lb_endpoints).endpoint -}}
{{- if eq .name "application" -}}
{{- $_ := set $endpoint.address.socket_address "port_value" $example.application.port -}}
{{- $_ := set . "health_checks" (list (dict
  "timeout" "1s" "interval" "2s" "no_traffic_interval" "2s"
  "unhealthy_threshold" 2 "healthy_threshold" 1 "tcp_health_check" dict)) -}}
{{- else if eq .name "authz-sidecar" -}}
{{- $_ := set $endpoint.address.pipe "path" "/run/authz/edge/authz.sock" -}}
{{- end -}}
{{- end -}}
{{- $ready := include "authz-sidecar.envoyReady" . | fromYaml -}}
{{- $_ := set $resources "listeners" (append $resources.listeners $ready) -}}
{{- toYaml $config -}}
{{- end }}

{{- define "authz-sidecar.envoyReady" -}}
name: ready
address:
  socket_address:
    address: {{ .Values.bind | trimAll "[]" | quote }}
    port_value: {{ .Values.example.envoy.readinessPort }}
filter_chains:
  - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ready
          route_config:
            name: ready
            virtual_hosts:
              - name: none
                domains: ["*"]
                routes:
                  - match: {prefix: "/"}
                    direct_response: {status: 404}
          http_filters:
            # 503 once it drains, and while the application does not listen.
            - name: envoy.filters.http.health_check
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck
                pass_through_mode: false
                headers:
                  - name: ":path"
                    string_match: {exact: /ready}
                cluster_min_healthy_percentages:
                  application: {value: 100}
            - name: envoy.filters.http.router
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
{{- end }}
