# What examples/routes.yaml and the rules demand of GET /v2/clusters/{id} with a key.
package edge

import rego.v1

default answer := {"allowed": false}

answer := {"allowed": true, "headers": {"x-authz-user-id": key.user, "x-authz-principal-id": organization, "x-authz-org-role": role}} if {
	input.method == "GET"
	input.path = ["v2", "clusters", id]
	role
	visible(id)
}

parts := split(input.headers["x-api-key"], "_")

key := found if {
	parts[0] == "gpk"
	found := data.keys[parts[1]]
	found.hash == crypto.sha256(concat("_", array.slice(parts, 2, count(parts))))
}

organization := input.headers["x-organization-id"]

role := data.members[key.user][organization]

visible(id) if data.clusters[id].owner == organization

visible(id) if organization in data.clusters[id].granted
