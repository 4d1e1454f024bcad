package authz.client;

import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** The way to a sidecar, which is made when it is needed and again when it broke. */
final class Connection {
  private static final String UNIX = "unix:";
  private static final long RECONNECT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final ManagedChannel channel;
  private final AtomicLong reconnected = new AtomicLong(System.nanoTime() - RECONNECT_NANOS);

  private Connection(ManagedChannel channel) {
    this.channel = channel;
  }

  /**
   * To {@code unix:path} or {@code host:port}.
   *
   * @throws IllegalArgumentException it is neither
   */
  static Connection to(String target, Tls tls) {
    ChannelCredentials credentials =
        tls == null ? InsecureChannelCredentials.create() : tls.credentials();
    ManagedChannelBuilder<?> made =
        target.startsWith(UNIX) ? toSocket(target, credentials) : toPort(target, credentials);
    if (tls != null && tls.serverName() != null) {
      made.overrideAuthority(tls.serverName());
    }
    // The library's own repetitions would not know of the budget. A proxy or a service
    // configuration from the surroundings has no say in who decides.
    return new Connection(
        made.disableRetry().disableServiceConfigLookUp().proxyDetector(server -> null).build());
  }

  private static ManagedChannelBuilder<?> toSocket(String target, ChannelCredentials credentials) {
    String path = target.substring(UNIX.length()).replaceFirst("^//(?=/)", "");
    if (path.isEmpty()) {
      throw new IllegalArgumentException("the target has no path");
    }
    String encoded = Path.of(path).toAbsolutePath().toUri().getRawPath();
    return Grpc.newChannelBuilder(UNIX + encoded, credentials).overrideAuthority("localhost");
  }

  private static ManagedChannelBuilder<?> toPort(String target, ChannelCredentials credentials) {
    int colon = target.lastIndexOf(':');
    String host = colon < 1 ? "" : target.substring(0, colon).replaceAll("^\\[(.*)]$", "$1");
    if (host.isEmpty() || host.contains("/") || !target.substring(colon + 1).matches("\\d{1,5}")) {
      throw new IllegalArgumentException("the target is neither unix:path nor host:port");
    }
    int port = Integer.parseInt(target.substring(colon + 1));
    return Grpc.newChannelBuilderForAddress(host, port, credentials);
  }

  /** Begins to connect. */
  void begin() {
    channel.getState(true);
  }

  /**
   * Waits until it is clear whether somebody listens, or for so long. A young JVM loads half of a
   * library with its first connection, which would use up the time of the first call.
   */
  void await(long nanos) {
    CompletableFuture<Void> clear = new CompletableFuture<>();
    awaitState(clear);
    try {
      clear.get(nanos, TimeUnit.NANOSECONDS);
    } catch (TimeoutException | ExecutionException late) {
      // The first call will tell.
      clear.cancel(true);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitState(CompletableFuture<Void> clear) {
    ConnectivityState state = channel.getState(true);
    if (state == ConnectivityState.CONNECTING || state == ConnectivityState.IDLE) {
      channel.notifyWhenStateChanged(state, () -> awaitState(clear));
    } else {
      clear.complete(null);
    }
  }

  /** A call that is not started yet. */
  ClientCall<byte[], byte[]> call(Call<?> call, CallOptions options) {
    if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      reconnectSoon();
    }
    return channel.newCall(call.method(), options);
  }

  // After a restart a sidecar is there within seconds, but the library would look for it at
  // intervals that grow to two minutes.
  private void reconnectSoon() {
    long last = reconnected.get();
    long now = System.nanoTime();
    if (now - last >= RECONNECT_NANOS && reconnected.compareAndSet(last, now)) {
      channel.resetConnectBackoff();
    }
  }

  boolean isClosed() {
    return channel.isShutdown();
  }

  void close() {
    channel.shutdownNow();
  }
}
