"""Explanations as trees: what was looked at, what decided, and what would help."""

from collections.abc import Iterable, Sequence

from authz.v1 import decision_pb2, permission_pb2
from rich.text import Text
from rich.tree import Tree

from sidecar.command.advice import Advice
from sidecar.command.words import enum_word, plain

_OUTCOME_STYLES = {
    decision_pb2.STEP_OUTCOME_ALLOWED: "green",
    decision_pb2.STEP_OUTCOME_DENIED: "red",
    decision_pb2.STEP_OUTCOME_PASSED: "dim",
}
_DECIDING = {decision_pb2.STEP_OUTCOME_ALLOWED, decision_pb2.STEP_OUTCOME_DENIED}
_CONTEXT = "context"
_MARK = "=>"


def decision_tree(
    question: str, explanation: decision_pb2.Explanation, advice: Advice | None = None
) -> Tree:
    """The context, each rule tried with the deciding one marked, roles, advice."""
    tree = Tree(plain(question, "bold"))
    context = [step for step in explanation.steps if _is_of_context(step.rule)]
    rules = [step for step in explanation.steps if not _is_of_context(step.rule)]
    if context:
        _add_steps(tree.add(_title(context)), context)
    _add_steps(tree, rules)
    if explanation.HasField("permission"):
        _grow(tree, explanation.permission)
    if advice is not None:
        _add_advice(tree, advice)
    return tree


def permission_tree(
    question: str, explanation: permission_pb2.PermissionExplanation
) -> Tree:
    """What permissions rest on: the context, every role held and what became of it."""
    tree = Tree(plain(question, "bold"))
    steps = [step.partition(": ") for step in explanation.steps]
    context = [(rule, detail) for rule, _, detail in steps if _is_of_context(rule)]
    if context:
        branch = tree.add(Text(_CONTEXT))
        width = max(len(rule) for rule, _ in context)
        for rule, detail in context:
            branch.add(plain(f"{rule:<{width}}  {detail}"))
    _grow(tree, explanation)
    return tree


def _grow(tree: Tree, explanation: permission_pb2.PermissionExplanation) -> None:
    basis = permission_pb2.PermissionBasis.DESCRIPTOR
    branch = tree.add(f"basis {enum_word(basis, explanation.basis)}")
    for role in explanation.roles:
        branch.add(_role_line(role))
    others = (each for each in explanation.steps if not _is_of_context(each))
    for step in others:
        branch.add(plain(step))


def _is_of_context(rule: str) -> bool:
    return rule == _CONTEXT or rule.startswith((f"{_CONTEXT}.", f"{_CONTEXT}: "))


def _title(context: Sequence[decision_pb2.ExplanationStep]) -> Text:
    is_denied = any(step.outcome in _DECIDING for step in context)
    return Text(_CONTEXT, "red" if is_denied else "")


def _add_steps(tree: Tree, steps: Iterable[decision_pb2.ExplanationStep]) -> None:
    listed = list(steps)
    width = max((len(step.rule) for step in listed), default=0)
    for step in listed:
        tree.add(_step_line(step, width))


def _add_advice(tree: Tree, advice: Advice) -> None:
    if not advice.command:
        tree.add(Text("what would help: ", "yellow").append_text(plain(advice.text)))
        return
    branch = tree.add(
        Text("to change this: ", "yellow").append_text(plain(advice.text))
    )
    branch.add(plain(advice.command, "bold"))


def _step_line(step: decision_pb2.ExplanationStep, rule_width: int) -> Text:
    line = Text(_outcome(step), style=_OUTCOME_STYLES.get(step.outcome, ""))
    line.append_text(plain(f"{step.rule:<{rule_width}}  {step.detail}".rstrip()))
    return line


def _outcome(step: decision_pb2.ExplanationStep) -> str:
    word = enum_word(decision_pb2.StepOutcome.DESCRIPTOR, step.outcome).lower()
    if step.outcome in _DECIDING:
        return f"{_MARK} {word:<8}"
    # Of the context there are facts, and at most a denial at the end.
    return "" if step.outcome == decision_pb2.STEP_OUTCOME_FACT else f"   {word:<8}"


def _role_line(role: permission_pb2.RoleExplanation) -> Text:
    took_part = role.outcome == permission_pb2.ROLE_OUTCOME_TOOK_PART
    outcome = enum_word(permission_pb2.RoleOutcome.DESCRIPTOR, role.outcome)
    line = Text(f"{outcome}  ", style="green" if took_part else "dim")
    line.append_text(plain(_role_words(role)))
    return line


def _role_words(role: permission_pb2.RoleExplanation) -> str:
    name = f"{role.role_id} ({role.label})" if role.label else role.role_id
    source = enum_word(permission_pb2.RoleSource.DESCRIPTOR, role.source)
    parts = [f"role {name}", f"held through {source}"]
    if role.scope:
        scope = enum_word(permission_pb2.RoleScope.DESCRIPTOR, role.scope)
        parts.append(f"scope {scope}")
    if role.HasField("rule_id"):
        item = f"for {role.rule_item}" if role.HasField("rule_item") else "generic"
        parts.append(f"rule {role.rule_id} ({item})")
    return ", ".join(parts)
