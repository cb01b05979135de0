"""The names at one point of an expression or template, and what is known of their values there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hub_toolkit.playbooks.kinds import join

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hub_toolkit.playbooks.kinds import Kind


@dataclass(frozen=True, slots=True)
class Names:
    """Names with their kinds.

    Attributes:
        kinds: name -> kind.
        later: steps that are not over here: why each cannot be read yet.
        sure: dotted paths whose value is known not to be none here.
    """

    kinds: Mapping[str, Kind]
    later: Mapping[str, str] = field(default_factory=dict)
    sure: frozenset[str] = frozenset()

    def plus(self, kinds: Mapping[str, Kind]) -> Names:
        """With more names, or others' kinds; what was known of those is forgotten."""
        kept = frozenset(path for path in self.sure if path.split(".")[0] not in kinds)
        return replace(self, kinds={**self.kinds, **kinds}, sure=kept)

    def knowing(self, paths: Collection[str]) -> Names:
        """Where the values at ``paths`` are not none."""
        return replace(self, sure=self.sure | set(paths)) if paths else self

    def after(self, ways: Collection[Names]) -> Names:
        """Behind a fork, of which ``ways`` are the ends."""
        named = {name for way in ways for name in way.kinds}
        kinds = {
            name: join([way.kinds[name] for way in ways if name in way.kinds]) for name in named
        }
        return replace(self, kinds=kinds)
