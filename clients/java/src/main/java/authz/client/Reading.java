package authz.client;

import authz.v1.AuthorizationServiceOuterClass.Change;
import authz.v1.AuthorizationServiceOuterClass.GetServerInfoResponse;
import authz.v1.AuthorizationServiceOuterClass.OptionalFeature;
import authz.v1.AuthorizationServiceOuterClass.WatchPosition;
import authz.v1.AuthorizationServiceOuterClass.WatchResponse;
import authz.v1.CallerOuterClass;
import authz.v1.DecisionOuterClass;
import authz.v1.Permission;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * From messages to answers; what no correct server sends is a {@link ProtocolException}.
 *
 * <p>A field that is missing, a word that is not known, a number of answers that is not the number
 * of questions: none of it may come out as an answer.
 */
final class Reading {
  // Which reasons go with yes and which with no is part of the contract; a reason in neither set
  // is one that a decision cannot have.
  private static final Set<String> ALLOWING =
      Set.of(
          "OWNED",
          "GRANTED",
          "GLOBAL_VISIBLE",
          "BYPASS_SYSTEM",
          "BYPASS_PLATFORM_ADMIN",
          "ORG_ADMIN",
          "ACTING_PLATFORM_ADMIN",
          "PLATFORM_ADMIN",
          "ORG_ROLE",
          "PERMITTED",
          "ALL_HOLD");
  private static final Set<String> DENYING =
      Set.of(
          "INVALID_CREDENTIAL",
          "INVALID_ORGANIZATION_ID",
          "UNKNOWN_RESOURCE_KIND",
          "NOT_A_MEMBER",
          "ORGANIZATION_NOT_FOUND",
          "RESOURCE_NOT_FOUND",
          "GLOBAL_RESOURCE",
          "OTHER_OWNER",
          "INSUFFICIENT_ORG_ROLE",
          "PLATFORM_ADMIN_REQUIRED",
          "NO_ORG_CONTEXT",
          "INSUFFICIENT_PERMISSION");

  private Reading() {}

  /** The decisions of an answer to {@code count} questions. */
  static List<Decision> decisions(
      List<DecisionOuterClass.Decision> found, String decisionId, int count) {
    wants(!decisionId.isEmpty(), "decision_id");
    counts(found.size(), count);
    List<Decision> read = new ArrayList<>(count);
    for (DecisionOuterClass.Decision each : found) {
      read.add(decision(each, decisionId + "." + read.size()));
    }
    return read;
  }

  static Decision decision(DecisionOuterClass.Decision message, String decisionId) {
    wants(!decisionId.isEmpty(), "decision_id");
    Optional<Denial> denial =
        message.getDenialValue() == 0
            ? Optional.empty()
            : Optional.of(word(Denial.class, message.getDenial(), "DENIAL_"));
    if (message.getAllowed() == denial.isPresent()) {
      throw new ProtocolException("the answer has a decision that both allows and denies");
    }
    String reason = bare(message.getReason(), "REASON_");
    if (!(message.getAllowed() ? ALLOWING : DENYING).contains(reason)) {
      throw new ProtocolException("the answer has a decision with the reason `" + reason + "`");
    }
    return new Decision(
        message.getAllowed(),
        denial,
        reason,
        message.getMessage(),
        decisionId,
        message.hasExplanation() ? Optional.of(message.getExplanation()) : Optional.empty());
  }

  static TenantContext context(CallerOuterClass.TenantContext message) {
    wants(!message.getUserId().isEmpty(), "context.user_id");
    return new TenantContext(
        message.getUserId(),
        message.getIsPlatformAdmin(),
        message.getIsSystem(),
        optional(message.hasCurrentPrincipalId(), message.getCurrentPrincipalId()),
        orgRole(message.hasOrgRole(), message.getOrgRole()),
        message.getAccessibleClusterIdsList(),
        message.getCurrentIsPersonalScope(),
        message.getBypass(),
        message.getHasOrgContext(),
        optional(message.hasWritePrincipalId(), message.getWritePrincipalId()));
  }

  static AvailableContext available(CallerOuterClass.AvailableContext message) {
    return new AvailableContext(
        word(ContextKind.class, message.getKind(), "CONTEXT_KIND_"),
        optional(message.hasPrincipalId(), message.getPrincipalId()),
        orgRole(message.hasOrgRole(), message.getOrgRole()),
        message.getName());
  }

  private static Optional<OrgRole> orgRole(boolean isThere, CallerOuterClass.OrgRole role) {
    return isThere ? Optional.of(word(OrgRole.class, role, "ORG_ROLE_")) : Optional.empty();
  }

  static Permissions permissions(Permission.Permissions message) {
    return new Permissions(
        message.getView(),
        level(message.getRead()),
        level(message.getCreate()),
        level(message.getUpdate()),
        level(message.getDelete()),
        message.hasExplanation() ? Optional.of(message.getExplanation()) : Optional.empty());
  }

  private static AccessLevel level(Permission.AccessLevel level) {
    return word(AccessLevel.class, level, "ACCESS_LEVEL_");
  }

  static RuleProblem problem(Permission.AccessRuleProblem message, int count) {
    int index = message.getRuleIndex();
    wants(index >= 0 && index < count, "rule_index");
    String fault = bare(message.getReason(), "ACCESS_RULE_FAULT_");
    wants(!fault.equals("UNSPECIFIED"), "reason");
    return new RuleProblem(index, message.getField(), fault, message.getMessage());
  }

  static ServerInfo serverInfo(GetServerInfoResponse message) {
    Set<String> features = new TreeSet<>();
    for (OptionalFeature each : message.getFeaturesList()) {
      if (each != OptionalFeature.UNRECOGNIZED) {
        features.add(bare(each, "OPTIONAL_FEATURE_"));
      }
    }
    return new ServerInfo(
        message.getVersion(),
        message.getEngine(),
        message.getConfigurationDigest(),
        message.hasSchemaVersion() ? Optional.of(message.getSchemaVersion()) : Optional.empty(),
        features,
        position(message.hasPosition(), message.getPosition()),
        duration(message.hasStaleness(), message.getStaleness()),
        duration(message.hasMaxStaleness(), message.getMaxStaleness()));
  }

  static WatchEvent watchEvent(WatchResponse message) {
    return switch (message.getEventCase()) {
      case CHANGES ->
          new WatchEvent.Changes(
              message.getChanges().getChangesList().stream().map(Reading::change).toList());
      case DROP_EVERYTHING ->
          new WatchEvent.DropEverything(
              optional(
                  message.getDropEverything().hasRevision(),
                  message.getDropEverything().getRevision()));
      case BEAT ->
          new WatchEvent.Beat(
              message.getBeat().getRevision(),
              duration(message.getBeat().hasStaleness(), message.getBeat().getStaleness()),
              position(message.getBeat().hasPosition(), message.getBeat().getPosition()));
      // It may be news of a change that a newer server tells in another way.
      case EVENT_NOT_SET ->
          throw new ProtocolException("the stream has a message that is not known here");
    };
  }

  private static WatchEvent.Change change(Change message) {
    return new WatchEvent.Change(
        message.getGroup(), optional(message.hasKey(), message.getKey()), message.getRevision());
  }

  private static Optional<Position> position(boolean isThere, WatchPosition message) {
    return isThere && !message.getServer().isEmpty()
        ? Optional.of(new Position(message.getServer(), message.getNumber()))
        : Optional.empty();
  }

  private static Optional<Duration> duration(
      boolean isThere, com.google.protobuf.Duration message) {
    try {
      return isThere
          ? Optional.of(Duration.ofSeconds(message.getSeconds(), message.getNanos()))
          : Optional.empty();
    } catch (ArithmeticException | DateTimeException error) {
      throw new ProtocolException("the answer has a duration that is none");
    }
  }

  static Optional<String> optional(boolean isThere, String value) {
    return isThere ? Optional.of(value) : Optional.empty();
  }

  /** A word of the API as a member of the enum with the same bare names. */
  static <E extends Enum<E>> E word(Class<E> kind, Enum<?> value, String prefix) {
    String name = bare(value, prefix);
    for (E each : kind.getEnumConstants()) {
      if (each.name().equals(name)) {
        return each;
      }
    }
    throw new ProtocolException("the answer has the unknown word `" + name + "`");
  }

  private static String bare(Enum<?> value, String prefix) {
    String name = value.name();
    if (!name.startsWith(prefix)) {
      throw new ProtocolException("the answer has a number that is not known here");
    }
    return name.substring(prefix.length());
  }

  static void counts(int found, int wanted) {
    if (found != wanted || found == 0) {
      throw new ProtocolException("the answer has " + found + " parts instead of " + wanted);
    }
  }

  static void wants(boolean isThere, String field) {
    if (!isThere) {
      throw new ProtocolException("the answer lacks `" + field + "`");
    }
  }
}
