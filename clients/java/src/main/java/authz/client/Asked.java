package authz.client;

import authz.client.Attempts.Budget;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** One question and its attempts. Cancelling the answer ends the attempt that runs. */
final class Asked<A> {
  private final CompletableFuture<A> answer = new CompletableFuture<>();
  private final Connection connection;
  private final Call<A> call;
  private final Attempts attempts;
  private volatile ClientCall<byte[], byte[]> running;

  private Asked(Connection connection, Call<A> call, Attempts attempts) {
    this.connection = connection;
    this.call = call;
    this.attempts = attempts;
  }

  static <A> CompletableFuture<A> ask(
      Connection connection, Call<A> call, Budget budget, long timeoutNanos) {
    Attempts attempts = new Attempts(budget, timeoutNanos, System::nanoTime);
    Asked<A> asked = new Asked<>(connection, call, attempts);
    asked.answer.whenComplete((answer, error) -> asked.endIfCancelled());
    asked.attempt();
    return asked.answer;
  }

  private void attempt() {
    long left = attempts.remaining();
    if (left <= 0) {
      answer.completeExceptionally(new DeadlineException("no time is left for the question", ""));
      return;
    }
    try {
      CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(left, TimeUnit.NANOSECONDS);
      ClientCall<byte[], byte[]> sent = connection.call(call, options);
      running = sent;
      sent.start(new Listening(), new Metadata());
      sent.sendMessage(call.request());
      sent.halfClose();
      // One more than the one that is wanted, so that a second one is noticed.
      sent.request(2);
      endIfCancelled();
    } catch (RuntimeException | Error defect) {
      fail(defect);
    }
  }

  private void endIfCancelled() {
    ClientCall<byte[], byte[]> sent = running;
    if (answer.isCancelled() && sent != null) {
      sent.cancel("the answer is no longer wanted", null);
    }
  }

  private void succeed(byte[] data) {
    A read;
    try {
      read = call.read().apply(data);
    } catch (RuntimeException | Error error) {
      // Whatever it is, nobody may wait in vain.
      fail(error);
      return;
    }
    attempts.succeed();
    answer.complete(read);
  }

  private void fail(Throwable cause) {
    AuthzException error = errorOf(cause);
    long wait = answer.isDone() ? -1 : attempts.waitAfter(error);
    if (wait < 0) {
      answer.completeExceptionally(error);
      return;
    }
    CompletableFuture.delayedExecutor(wait, TimeUnit.NANOSECONDS).execute(this::attempt);
  }

  private AuthzException errorOf(Throwable cause) {
    if (connection.isClosed()) {
      return new InternalException("the client is closed", Status.Code.INTERNAL, "");
    }
    if (cause instanceof AuthzException error) {
      return error;
    }
    AuthzException error =
        new InternalException("the client has a defect", Status.Code.INTERNAL, "");
    error.initCause(cause);
    return error;
  }

  private final class Listening extends ClientCall.Listener<byte[]> {
    private byte[] data;
    private boolean isMoreThanOne;

    @Override
    public void onMessage(byte[] message) {
      isMoreThanOne = data != null;
      data = message;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!status.isOk()) {
        fail(Statuses.exceptionOf(status, trailers));
      } else if (data == null || isMoreThanOne) {
        fail(new ProtocolException("the call ended without an answer, or with several"));
      } else {
        succeed(data);
      }
    }
  }
}
