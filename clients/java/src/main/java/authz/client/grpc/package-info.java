/** Guards the methods of a gRPC server with the sidecar's decisions. */
package authz.client.grpc;
