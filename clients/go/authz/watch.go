package authz

import (
	"context"
	"errors"
	"io"
	"iter"

	authzv1 "authz.example/clients/go/authzv1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Watch tells what changes, as one stream without a deadline but the context's. The range
// ends with an error, or without one when the server ends the stream in good order; then
// begin another one. A nil revision means from now on.
func (c *Client) Watch(ctx context.Context, afterRevision *string) iter.Seq2[WatchEvent, error] {
	return func(yield func(WatchEvent, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := c.open(ctx, &authzv1.WatchRequest{AfterRevision: afterRevision})
		for err == nil {
			var event WatchEvent
			if event, err = receive(ctx, stream); err == nil && !yield(event, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(nil, err)
		}
	}
}

func (c *Client) open(ctx context.Context, request proto.Message) (grpc.ClientStream, error) {
	data, err := encoded(request)
	if err != nil {
		return nil, err
	}
	method := authzv1.AuthorizationService_Watch_FullMethodName
	description := &authzv1.AuthorizationService_ServiceDesc.Streams[0]
	stream, err := c.connection.NewStream(ctx, description, method, asBytes)
	if err != nil {
		return nil, ended(ctx, err)
	}
	// What ends the stream is told by receiving: io.EOF here says only that it ended.
	if err := stream.SendMsg(&data); err != nil && !errors.Is(err, io.EOF) {
		return nil, ended(ctx, err)
	}
	if err := stream.CloseSend(); err != nil {
		return nil, ended(ctx, err)
	}
	return stream, nil
}

func receive(ctx context.Context, stream grpc.ClientStream) (WatchEvent, error) {
	var data []byte
	if err := stream.RecvMsg(&data); errors.Is(err, io.EOF) {
		return nil, io.EOF
	} else if err != nil {
		return nil, ended(ctx, err)
	}
	message := &authzv1.WatchResponse{}
	if err := decoded(data, message); err != nil {
		return nil, err
	}
	return readWatchEvent(message)
}
