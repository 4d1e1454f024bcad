package authz.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/**
 * A question that is ready to be sent: it knows nothing of sockets.
 *
 * <p>Answers stay bytes until they are read here, so that what cannot be read is told apart from
 * what did not arrive.
 */
record Call<A>(
    MethodDescriptor<byte[], byte[]> method,
    byte[] request,
    Function<byte[], A> read,
    Optional<Duration> timeout) {

  static <R extends MessageLite, A> Call<A> of(
      MethodDescriptor<?, R> method,
      MessageLite request,
      Parser<R> parser,
      Function<R, A> read,
      Optional<Duration> timeout) {
    return new Call<>(
        method.toBuilder(Bytes.MARSHALLER, Bytes.MARSHALLER).build(),
        request.toByteArray(),
        data -> read.apply(parsed(parser, data)),
        timeout);
  }

  private static <R> R parsed(Parser<R> parser, byte[] data) {
    try {
      return parser.parseFrom(data);
    } catch (InvalidProtocolBufferException error) {
      throw new ProtocolException("the answer is no message of this API");
    }
  }

  private enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
    MARSHALLER;

    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }
}
