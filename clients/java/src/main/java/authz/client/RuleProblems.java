package authz.client;

import java.util.List;

/** What is wrong with rules, in their order; none means that they may be stored. */
public record RuleProblems(List<RuleProblem> problems) {
  /** Keeps a copy. */
  public RuleProblems {
    problems = List.copyOf(problems);
  }
}
