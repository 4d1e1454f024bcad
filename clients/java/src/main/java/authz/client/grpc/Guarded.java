package authz.client.grpc;

import authz.client.AsyncClient;
import authz.client.Authorization;
import authz.client.Caller;
import authz.client.Options;
import authz.client.Requirement;
import authz.client.TenantContext;
import authz.client.grpc.AuthzInterceptor.ByMessage;
import authz.client.grpc.AuthzInterceptor.Fixed;
import authz.client.grpc.AuthzInterceptor.Rule;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;

/**
 * A call whose method is not called before it is allowed. What happens until then is kept, and told
 * in order; what happens after a refusal is dropped.
 */
final class Guarded<Q, R> extends ServerCall.Listener<Q> {
  private final AsyncClient client;
  private final Caller caller;
  private final Rule rule;
  private final ServerCall<Q, R> call;
  private final Metadata headers;
  private final ServerCallHandler<Q, R> next;

  // The answer arrives in another thread, which knows nothing of the call's own context.
  private final Context around = Context.current();
  private final Queue<Runnable> kept = new ArrayDeque<>();
  private ServerCall.Listener<Q> method;
  private boolean isOver;
  private boolean isAsked;

  Guarded(
      AsyncClient client,
      Caller caller,
      Rule rule,
      ServerCall<Q, R> call,
      Metadata headers,
      ServerCallHandler<Q, R> next) {
    this.client = client;
    this.caller = caller;
    this.rule = rule;
    this.call = call;
    this.headers = headers;
    this.next = next;
  }

  void begin() {
    if (rule instanceof ByMessage) {
      call.request(1);
    } else if (rule instanceof Fixed fixed) {
      authorize(fixed.requirements());
    } else {
      answered(client.resolveContext(caller).thenApply(answer -> answer.context()));
    }
  }

  @Override
  public void onMessage(Q message) {
    tell(() -> method.onMessage(message));
    if (rule instanceof ByMessage byMessage && !isAsked) {
      isAsked = true;
      try {
        authorize(byMessage.requirements().apply(message));
      } catch (RuntimeException defect) {
        refuse(defect);
      }
    }
  }

  @Override
  public void onHalfClose() {
    tell(() -> method.onHalfClose());
    if (rule instanceof ByMessage && !isAsked) {
      refuse(new IllegalStateException("the call brought no message"));
    }
  }

  @Override
  public void onReady() {
    tell(() -> method.onReady());
  }

  @Override
  public synchronized void onCancel() {
    if (method == null) {
      isOver = true;
    } else {
      method.onCancel();
    }
  }

  @Override
  public synchronized void onComplete() {
    if (method != null) {
      method.onComplete();
    }
  }

  private void authorize(List<Requirement> requirements) {
    if (requirements.isEmpty()) {
      throw new IllegalStateException("the rule has no requirement for this message");
    }
    answered(client.authorize(caller, requirements, Options.none()).thenApply(this::tenant));
  }

  private TenantContext tenant(Authorization authorization) {
    authorization.require();
    return authorization.context().orElseThrow();
  }

  private void answered(CompletableFuture<TenantContext> answer) {
    answer.whenComplete(
        (tenant, error) -> {
          if (error == null) {
            let(tenant);
          } else {
            refuse(error);
          }
        });
  }

  private synchronized void let(TenantContext tenant) {
    if (isOver) {
      return;
    }
    Context context =
        around
            .withValue(AuthzInterceptor.CALLER, caller)
            .withValue(AuthzInterceptor.TENANT, tenant);
    try {
      method = Contexts.interceptCall(context, call, headers, next);
      for (Runnable event = kept.poll(); event != null; event = kept.poll()) {
        event.run();
      }
    } catch (RuntimeException defect) {
      // Nobody else sees it in this thread, and the caller would wait in vain.
      isOver = true;
      Refusal.broken(call, defect);
    }
  }

  private synchronized void refuse(Throwable error) {
    if (isOver || method != null) {
      return;
    }
    isOver = true;
    kept.clear();
    Refusal.of(error).end(call);
  }

  private synchronized void tell(Runnable event) {
    if (method != null) {
      event.run();
    } else if (!isOver) {
      kept.add(event);
    }
  }
}
