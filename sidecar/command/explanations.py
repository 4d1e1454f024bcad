"""Explanations as trees."""

from collections.abc import Sequence

from authz.v1 import decision_pb2, permission_pb2
from rich.text import Text
from rich.tree import Tree

from sidecar.command.words import enum_word, plain

_OUTCOME_STYLES = {
    decision_pb2.STEP_OUTCOME_ALLOWED: "green",
    decision_pb2.STEP_OUTCOME_DENIED: "red",
    decision_pb2.STEP_OUTCOME_PASSED: "dim",
}


def decision_tree(question: str, explanation: decision_pb2.Explanation) -> Tree:
    """The steps of one decision, and the roles when it is about permissions."""
    tree = Tree(plain(question, "bold"))
    rule_width = max((len(step.rule) for step in explanation.steps), default=0)
    for step in explanation.steps:
        tree.add(_step_line(step, rule_width))
    if explanation.HasField("permission"):
        _grow(tree, explanation.permission)
    return tree


def permission_tree(
    question: str, explanation: permission_pb2.PermissionExplanation
) -> Tree:
    """What permissions rest on: every role held and what became of it."""
    tree = Tree(plain(question, "bold"))
    _grow(tree, explanation)
    return tree


def _grow(tree: Tree, explanation: permission_pb2.PermissionExplanation) -> None:
    basis = permission_pb2.PermissionBasis.DESCRIPTOR
    branch = tree.add(f"basis {enum_word(basis, explanation.basis)}")
    for role in explanation.roles:
        branch.add(_role_line(role))
    _add_steps(tree, explanation.steps)


def _add_steps(tree: Tree, steps: Sequence[str]) -> None:
    for step in steps:
        tree.add(plain(step))


def _step_line(step: decision_pb2.ExplanationStep, rule_width: int) -> Text:
    outcome = enum_word(decision_pb2.StepOutcome.DESCRIPTOR, step.outcome).lower()
    style = _OUTCOME_STYLES.get(step.outcome, "")
    line = Text(f"{outcome:<8}", style=style)
    line.append_text(plain(f"{step.rule:<{rule_width}}  {step.detail}".rstrip()))
    return line


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
