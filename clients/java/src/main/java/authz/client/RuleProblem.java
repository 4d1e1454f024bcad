package authz.client;

/**
 * One thing that is wrong with a rule.
 *
 * @param ruleIndex the rule, counted from 0
 * @param field the field, such as {@code update}
 * @param reason the bare name of a fault of the API, such as {@code EXCEEDS_READ}
 * @param message the same for people
 */
public record RuleProblem(int ruleIndex, String field, String reason, String message) {}
