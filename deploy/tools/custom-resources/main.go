// Reads Kubernetes objects from standard input, as YAML documents, and decodes those
// that Istio and the Prometheus operator define with the types that they define them by.
// Fields that these do not have, and values that do not fit, are refused. A ConfigMap
// with `mesh` in its data is Istio's mesh configuration. Other objects are left alone.
//
// Says what is wrong, each on a line of its own, and ends with 1; otherwise it prints how
// many it has looked at and ends with 0.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	mesh "istio.io/api/mesh/v1alpha1"
	networkingalpha "istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"
	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v3"
)

type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec json.RawMessage   `json:"spec"`
	Data map[string]string `json:"data"`
}

var specs = map[string]func() proto.Message{
	"security.istio.io/v1/AuthorizationPolicy": func() proto.Message { return &security.AuthorizationPolicy{} },
	"security.istio.io/v1/PeerAuthentication":  func() proto.Message { return &security.PeerAuthentication{} },
	"networking.istio.io/v1/ServiceEntry":      func() proto.Message { return &networkingalpha.ServiceEntry{} },
	"networking.istio.io/v1/DestinationRule":   func() proto.Message { return &networkingalpha.DestinationRule{} },
	"networking.istio.io/v1alpha3/EnvoyFilter": func() proto.Message { return &networkingalpha.EnvoyFilter{} },
}

var objects = map[string]func() any{
	"monitoring.coreos.com/v1/ServiceMonitor": func() any { return &monitoring.ServiceMonitor{} },
	"monitoring.coreos.com/v1/PodMonitor":     func() any { return &monitoring.PodMonitor{} },
	"monitoring.coreos.com/v1/PrometheusRule": func() any { return &monitoring.PrometheusRule{} },
}

func main() {
	looked, problems := 0, 0
	decoder := goyaml.NewDecoder(os.Stdin)
	for {
		var tree any
		err := decoder.Decode(&tree)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if tree == nil {
			continue
		}
		name, known, err := check(tree)
		if known {
			looked++
		}
		if err != nil {
			problems++
			fmt.Printf("%s: %v\n", name, err)
		}
	}
	if problems > 0 {
		os.Exit(1)
	}
	fmt.Println(looked)
}

func check(tree any) (name string, known bool, err error) {
	text, err := goyaml.Marshal(tree)
	if err != nil {
		return "document", false, err
	}
	whole, err := yaml.YAMLToJSON(text)
	if err != nil {
		return "document", false, err
	}
	var found object
	if err := json.Unmarshal(whole, &found); err != nil {
		return "document", false, err
	}
	kind := found.APIVersion + "/" + found.Kind
	name = kind + " " + found.Metadata.Name
	if spec, ok := specs[kind]; ok {
		return name, true, protojson.Unmarshal(found.Spec, spec())
	}
	if typed, ok := objects[kind]; ok {
		strict := json.NewDecoder(bytes.NewReader(whole))
		strict.DisallowUnknownFields()
		return name, true, strict.Decode(typed())
	}
	if text, ok := found.Data["mesh"]; ok && kind == "v1/ConfigMap" {
		configuration, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			return name, true, err
		}
		return name, true, protojson.Unmarshal(configuration, &mesh.MeshConfig{})
	}
	return name, false, nil
}
