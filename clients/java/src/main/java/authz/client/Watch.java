package authz.client;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What changes, as one stream without a deadline; over when the server ends it. It can be gone
 * through once. Close it when it is no longer wanted; that may be done from another thread.
 */
public final class Watch implements Iterable<WatchEvent>, AutoCloseable {
  private final Call<WatchEvent> call;
  private final ClientCall<byte[], byte[]> stream;
  // At most one message, since the next one is asked for when this one is taken, and the end.
  private final BlockingQueue<Told> told = new LinkedBlockingQueue<>();
  private final Iterator<WatchEvent> events = new Events();
  private volatile boolean isClosed;

  Watch(Connection connection, Call<WatchEvent> call) {
    this.call = call;
    this.stream = connection.call(call, CallOptions.DEFAULT);
    stream.start(new Listening(), new Metadata());
    stream.sendMessage(call.request());
    stream.halfClose();
    stream.request(1);
  }

  /** The events; waits for each, and throws an {@link AuthzException} when the stream broke. */
  @Override
  public Iterator<WatchEvent> iterator() {
    return events;
  }

  @Override
  public void close() {
    isClosed = true;
    stream.cancel("the stream is no longer wanted", null);
  }

  private sealed interface Told {}

  private record Message(byte[] data) implements Told {}

  private record End(Status status, Metadata trailers) implements Told {}

  private final class Listening extends ClientCall.Listener<byte[]> {
    @Override
    public void onMessage(byte[] message) {
      told.add(new Message(message));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      told.add(new End(status, trailers));
    }
  }

  private final class Events implements Iterator<WatchEvent> {
    private WatchEvent next;
    private boolean isOver;

    @Override
    public boolean hasNext() {
      if (next == null && !isOver && !isClosed) {
        next = take();
      }
      return next != null;
    }

    @Override
    public WatchEvent next() {
      if (!hasNext()) {
        throw new NoSuchElementException("the stream is over");
      }
      WatchEvent event = next;
      next = null;
      return event;
    }

    private WatchEvent take() {
      try {
        Told first = told.take();
        if (first instanceof Message message) {
          stream.request(1);
          return call.read().apply(message.data());
        }
        isOver = true;
        End end = (End) first;
        if (!end.status().isOk() && !isClosed) {
          throw Statuses.exceptionOf(end.status(), end.trailers());
        }
        return null;
      } catch (ProtocolException error) {
        isOver = true;
        close();
        throw error;
      } catch (InterruptedException interrupted) {
        isOver = true;
        close();
        throw Client.interrupted();
      }
    }
  }
}
