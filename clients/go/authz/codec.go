package authz

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
)

// asBytes leaves messages as bytes, under the name that they have on the wire.
var asBytes = grpc.ForceCodecV2(bytesCodec{})

type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(value any) (mem.BufferSlice, error) {
	data, ok := value.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("cannot send a %T", value)
	}
	return mem.BufferSlice{mem.SliceBuffer(*data)}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, value any) error {
	into, ok := value.(*[]byte)
	if !ok {
		return fmt.Errorf("cannot receive a %T", value)
	}
	*into = data.Materialize()
	return nil
}
