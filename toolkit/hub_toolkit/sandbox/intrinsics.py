"""CloudFormation's intrinsic functions in their long form, resolved without CloudFormation.

What ``template.yaml`` uses is answered, anything else is an error: Ref, Fn::GetAtt, Fn::Sub,
Fn::Join, Fn::Select, Fn::Split, Fn::FindInMap, Fn::If and the condition functions. Resources are
named before they are made: `identifiers` tells what a Ref or an attribute of each type will be, so
that no order of creation is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
_NO_VALUE = object()

Identify = Callable[[str, str, Mapping[str, Any]], Mapping[str, str]]
"""(logical id, type, resolved properties) -> {"Ref": ..., attribute: ...}."""


class TemplateError(Exception):
    """The template holds something that the sandbox does not know or that is wrong."""


class Resolver:
    """Resolves the intrinsics of one template.

    Args:
        template: the parsed template.
        parameters: values that replace the defaults of its parameters.
        pseudo: the pseudo parameters, as ``AWS::Region``.
        identify: names each resource.

    Raises:
        TemplateError: a parameter has no value.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str],
        pseudo: Mapping[str, str],
        identify: Identify,
    ) -> None:
        self._resources: Mapping[str, Any] = template.get("Resources", {})
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        self._identify = identify
        self._values = dict(pseudo) | _parameter_values(template, parameters)
        self._identified: dict[str, Mapping[str, str]] = {}
        self._pending: set[str] = set()

    def active(self, logical_id: str) -> bool:
        """Whether the resource's Condition holds (no Condition: yes)."""
        condition = self._resources[logical_id].get("Condition")
        return condition is None or self.condition(condition)

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The resolved properties of a resource.

        Raises:
            TemplateError: they refer to what does not exist.
        """
        raw = self._resources[logical_id].get("Properties", {})
        resolved: dict[str, Any] = self.resolve(raw, f"Resources.{logical_id}")
        return resolved

    def identifiers(self, logical_id: str) -> Mapping[str, str]:
        """``Ref`` and the attributes of a resource.

        Raises:
            TemplateError: its name depends on itself.
        """
        if logical_id not in self._identified:
            if logical_id in self._pending:
                raise TemplateError(f"the name of {logical_id} depends on itself")
            self._pending.add(logical_id)
            kind = self._resources[logical_id]["Type"]
            found = self._identify(logical_id, kind, self._naming(logical_id))
            self._identified[logical_id] = found
            self._pending.discard(logical_id)
        return self._identified[logical_id]

    def _naming(self, logical_id: str) -> dict[str, Any]:
        """Only the properties that name it: the others may refer to what refers to it."""
        raw = self._resources[logical_id].get("Properties", {})
        wanted = {key: value for key, value in raw.items() if key == "Id" or key.endswith("Name")}
        resolved: dict[str, Any] = self.resolve(wanted, f"Resources.{logical_id}")
        return resolved

    def resolve(self, value: Any, where: str = "") -> Any:
        """``value`` with every intrinsic replaced; a removed value (AWS::NoValue) disappears."""
        resolved = self._resolve(value, where)
        return None if resolved is _NO_VALUE else resolved

    def _resolve(self, value: Any, where: str) -> Any:
        if isinstance(value, Mapping):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name in _FUNCTIONS:
                    return _FUNCTIONS[name](self, argument, where)
                if name.startswith("Fn::"):
                    raise TemplateError(f"{where}: the sandbox does not know {name}")
            pairs = ((key, self._resolve(item, f"{where}.{key}")) for key, item in value.items())
            return {key: item for key, item in pairs if item is not _NO_VALUE}
        if isinstance(value, list):
            items = (self._resolve(item, f"{where}[{i}]") for i, item in enumerate(value))
            return [item for item in items if item is not _NO_VALUE]
        return value

    def condition(self, expression: Any) -> bool:
        """Whether a condition (its name, or an expression of condition functions) holds."""
        if isinstance(expression, str):
            if expression not in self._conditions:
                raise TemplateError(f"there is no condition {expression}")
            return self.condition(self._conditions[expression])
        ((name, argument),) = expression.items()
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Equals":
            left, right = (self.resolve(item, "Conditions") for item in argument)
            return bool(left == right)
        if name == "Fn::Not":
            return not self.condition(argument[0])
        if name in {"Fn::And", "Fn::Or"}:
            verdicts = [self.condition(item) for item in argument]
            return all(verdicts) if name == "Fn::And" else any(verdicts)
        raise TemplateError(f"the sandbox does not know the condition function {name}")

    def _ref(self, name: str, where: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._values:
            return self._values[name]
        return self._attribute(name, "Ref", where)

    def _attribute(self, logical_id: str, attribute: str, where: str) -> str:
        if logical_id not in self._resources:
            raise TemplateError(f"{where}: there is no parameter or resource {logical_id}")
        found = self.identifiers(logical_id)
        if attribute not in found:
            kind = self._resources[logical_id]["Type"]
            raise TemplateError(f"{where}: the sandbox knows no attribute {attribute} of {kind}")
        return found[attribute]

    def _get_att(self, argument: Any, where: str) -> str:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(logical_id, attribute, where)

    def _sub(self, argument: Any, where: str) -> str:
        text, extra = (argument, {}) if isinstance(argument, str) else argument
        local = {key: self.resolve(value, where) for key, value in extra.items()}

        def fill(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in local:
                return str(local[name])
            if "." in name:
                return self._get_att(name, where)
            return str(self._ref(name, where))

        return _PLACEHOLDER.sub(fill, text)

    def _join(self, argument: Any, where: str) -> str:
        separator, items = argument
        return str(separator).join(str(item) for item in self.resolve(items, where))

    def _select(self, argument: Any, where: str) -> Any:
        index, items = argument
        return self.resolve(items, where)[int(index)]

    def _split(self, argument: Any, where: str) -> list[str]:
        separator, text = argument
        return str(self.resolve(text, where)).split(separator)

    def _find_in_map(self, argument: Any, where: str) -> Any:
        name, first, second = (self.resolve(item, where) for item in argument)
        try:
            return self._mappings[name][first][second]
        except KeyError as error:
            raise TemplateError(f"{where}: no mapping {name}.{first}.{second}") from error

    def _if(self, argument: Any, where: str) -> Any:
        name, then, otherwise = argument
        return self._resolve(then if self.condition(name) else otherwise, where)


def _parameter_values(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    declared: Mapping[str, Any] = template.get("Parameters", {})
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        if name in given:
            value: Any = given[name]
        elif "Default" in parameter:
            value = parameter["Default"]
        else:
            raise TemplateError(f"parameter {name} has neither a value nor a default")
        kind = parameter.get("Type", "String")
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            value = [item.strip() for item in str(value).split(",")] if value else []
        values[name] = value
    return values


_FUNCTIONS: dict[str, Callable[[Resolver, Any, str], Any]] = {
    "Ref": Resolver._ref,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::Sub": Resolver._sub,
    "Fn::Join": Resolver._join,
    "Fn::Select": Resolver._select,
    "Fn::Split": Resolver._split,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::If": Resolver._if,
}
