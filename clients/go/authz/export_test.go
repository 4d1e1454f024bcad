package authz

// BytesCodec lets a server of the tests answer with any bytes.
var BytesCodec = bytesCodec{}
