package authz

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// answer is a pointer to a message of the API.
type answer[M any] interface {
	*M
	proto.Message
}

// ask sends a question until it is answered, or there is no more time or budget.
func ask[M, A any, P answer[M]](
	ctx context.Context,
	client *Client,
	method string,
	chosen *asked,
	request proto.Message,
	read func(P) (*A, error),
) (*A, error) {
	data, err := encoded(request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, chosen.timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	attempts := attempts{budget: client.budget, deadline: deadline}
	for {
		message := P(new(M))
		err := client.send(ctx, method, data, message)
		if err == nil {
			made, err := read(message)
			if err != nil {
				return nil, err
			}
			client.budget.earn()
			return made, nil
		}
		wait, again := attempts.waitAfter(err, time.Now())
		if !again {
			return nil, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (c *Client) send(ctx context.Context, method string, data []byte, into proto.Message) error {
	var received []byte
	if err := c.connection.Invoke(ctx, method, &data, &received, asBytes); err != nil {
		return ended(ctx, err)
	}
	return decoded(received, into)
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx, status.FromContextError(ctx.Err()).Err())
	}
}

// ended is the error for a status, with the context's when its end ended the call.
func ended(ctx context.Context, err error) *Error {
	made := told(err)
	switch {
	case made.Code == codes.Canceled && ctx.Err() != nil:
		made.Kind, made.cause = ErrCanceled, context.Cause(ctx)
	case made.Code == codes.DeadlineExceeded && made.Reason == "":
		// The server, which knows the deadline too, may be first to end the call.
		made.cause = context.DeadlineExceeded
	}
	return made
}

// encoded are the bytes of a question. They are made and read here and not by the
// library, which would call an answer that it cannot read a failure of the server.
func encoded(request proto.Message) ([]byte, error) {
	data, err := proto.Marshal(request)
	if err != nil {
		return nil, invalidRequest("", "the question has text that is not UTF-8")
	}
	return data, nil
}

func choose[O WritableOption](client *Client, options []O) *asked {
	chosen := &asked{timeout: client.timeout}
	for _, each := range options {
		each.apply(chosen)
	}
	return chosen
}
