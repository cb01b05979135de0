"""The language of ``if``, ``group_by``, routes and ``with``: sandboxed Jinja2 expressions.

``if`` is a bare expression that must be boolean, ``group_by`` and ``by`` one that gives text. In
``with``, text that holds ``{{ }}`` is a template, and a lone ``{{ x }}`` keeps the value's type.
Expressions come from playbooks, never from findings; values of findings are only ever operands.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub_responder import growth
from hub_responder.errors import ExpressionError, HubResponderError

MAX_TEXT = 20_000
"""Characters that one evaluated text may have; the longest target takes 32,767 (Jira)."""
_MAX_NUMBER = 10**12
_LONE = re.compile(r"\s*\{\{(?P<inner>(?:(?!\}\}).)*)\}\}\s*", re.DOTALL)


class MissingResult(ExpressionError):  # noqa: N818 - the step that reads it is skipped, not failed
    """A result of a step that was skipped or has failed is read."""


class StepView:
    """What later steps see of a step: ``status``, ``detail``, and its results once it is done.

    Reading a result of a skipped or failed step raises `MissingResult`, which skips the reader.
    """

    __slots__ = ("_name", "_values", "detail", "status")

    def __init__(self, name: str, status: str, values: Mapping[str, Any], detail: str = "") -> None:
        self._name = name
        self._values = values
        self.status = status
        self.detail = detail

    def __getattr__(self, attribute: str) -> Any:
        return self[attribute]

    def __getitem__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        if attribute in ("status", "detail"):
            return getattr(self, attribute)
        if attribute in self._values:
            return self._values[attribute]
        if self.status != "done":
            raise MissingResult(f"step {self._name} has no {attribute}: it is {self.status}")
        raise ExpressionError(f"step {self._name} has no result {attribute!r}")


def results_of(view: StepView) -> Mapping[str, Any]:
    """All results of a step, for code; expressions read them one by one."""
    return view._values


_PADDING = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"})
"""Methods of text that make as much of it as a number says."""
_REFUSED_FILTERS = ("batch", "center", "format", "indent", "pprint", "random", "slice", "tojson")
"""The same as filters; ``pprint`` shows what is inside objects, ``random`` decides by chance."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, without what makes a slip eat memory: large products, powers, padding."""

    code_generator_class = growth.BoundedCode

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name in _REFUSED_FILTERS:
            del self.filters[name]
        for name in growth.FILTERS:
            self.filters[name] = growth.bounded(self.filters[name])

    def joined(self, parts: tuple[Any, ...]) -> str:
        """What ``~`` makes of its operands."""
        texts = [str(one) for one in parts]
        growth.check_sum(*texts)
        return "".join(texts)

    def call(self, context: Any, obj: Any, /, *args: Any, **named: Any) -> Any:
        """As Jinja's sandbox calls, with bounds for the methods of text that can grow."""
        text = getattr(obj, "__self__", None)
        if isinstance(text, str) and getattr(obj, "__name__", "") in growth.METHODS:
            growth.check_product(text, *args, *named.values())
        return super().call(context, obj, *args, **named)

    def wrap_str_format(self, _value: Any) -> None:
        """No ``str.format`` of Jinja's own: it is refused as padding is."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As Jinja's sandbox decides, and no padding of text."""
        if isinstance(obj, str | bytes) and attr in _PADDING:
            return False
        return super().is_safe_attribute(obj, attr, value)

    intercepted_binops = frozenset(["*", "**", "%", "+"])

    def call_binop(self, context: Any, operator_text: str, left: Any, right: Any) -> Any:
        del context
        if operator_text == "+":
            growth.check_sum(left, right)
            return left + right
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if not numbers or abs(left) > _MAX_NUMBER or abs(right) > _MAX_NUMBER:
            raise ExpressionError(f"{operator_text} works on numbers up to {_MAX_NUMBER:,} only")
        if operator_text == "**" and abs(right) > 16:  # noqa: PLR2004 - 10**12 ** 16 stays small
            raise ExpressionError("** takes an exponent up to 16")
        function = {"*": operator.mul, "**": operator.pow, "%": operator.mod}[operator_text]
        return function(left, right)


@lru_cache(maxsize=1)
def environment() -> ImmutableSandboxedEnvironment:
    """The one environment: no loader, no globals, undefined names are errors."""
    made = Sandbox(undefined=StrictUndefined, autoescape=False, cache_size=0)
    made.globals.clear()
    return made


@lru_cache(maxsize=512)
def _expression(text: str) -> Callable[..., Any]:
    try:
        return environment().compile_expression(text, undefined_to_none=False)
    except TemplateError as error:
        raise ExpressionError(f"{text!r} is not an expression: {error}") from error


@lru_cache(maxsize=512)
def _template(text: str) -> Any:
    try:
        return environment().from_string(text)
    except TemplateError as error:
        raise ExpressionError(f"{text!r} is not a template: {error}") from error


def evaluate(text: str, scope: Mapping[str, Any]) -> Any:
    """The value of the bare expression ``text``.

    Raises:
        MissingResult: it reads a result of a skipped or failed step.
        ExpressionError: it cannot be evaluated, or a name in it is not defined.
        CallError: a function in it looked something up, which failed.
    """
    try:
        value = _expression(text)(**scope)
    except HubResponderError:
        raise
    except Exception as error:  # whatever an operand's operator raises
        raise ExpressionError(f"{text!r} cannot be evaluated: {error}") from error
    if isinstance(value, Undefined):
        raise ExpressionError(f"{text!r} names something that is not defined")
    return value


def condition(text: str, scope: Mapping[str, Any]) -> bool:
    """The truth of ``text``, which must be boolean.

    Raises:
        ExpressionError: as `evaluate`, and when the value is not true or false.
    """
    value = evaluate(text, scope)
    if not isinstance(value, bool):
        raise ExpressionError(f"{text!r} gives {type(value).__name__}, not true or false")
    return value


def text_of(text: str, scope: Mapping[str, Any]) -> str:
    """The text that ``text`` gives; numbers are written out, anything else is refused.

    Raises:
        ExpressionError: as `evaluate`, and when the value is neither text nor a number.
    """
    value = evaluate(text, scope)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ExpressionError(f"{text!r} gives {type(value).__name__}, not text")
    return str(value)


def fill(value: Any, scope: Mapping[str, Any]) -> Any:
    """``value`` (a ``with`` tree) with every template in it evaluated.

    Raises:
        MissingResult: it reads a result of a skipped or failed step.
        ExpressionError: a template cannot be evaluated or its text is over `MAX_TEXT`.
    """
    if isinstance(value, str):
        return _fill_text(value, scope) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: fill(item, scope) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, scope) for item in value]
    return value


def _fill_text(text: str, scope: Mapping[str, Any]) -> Any:
    lone = _LONE.fullmatch(text)
    if lone is not None:
        return evaluate(lone["inner"].strip(), scope)
    try:
        filled = _template(text).render(**scope)
    except HubResponderError:
        raise
    except Exception as error:  # as in `evaluate`
        raise ExpressionError(f"{text!r} cannot be evaluated: {error}") from error
    if len(filled) > MAX_TEXT:
        given = f"{text[:80]!r} gives {len(filled):,} characters"
        raise ExpressionError(f"{given}; at most {MAX_TEXT:,} are allowed")
    return str(filled)
