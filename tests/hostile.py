"""Values as an attacker writes them into findings, and a message that holds one everywhere."""

from __future__ import annotations

from hypothesis import strategies as st

from hub_responder.markdown.document import Document
from hub_responder.markdown.template import compile_template, render_template

MESSAGE = compile_template(
    """# Title {{ x }}

Text {{ x }} and **bold {{ x }}**, *it {{ x }}*, `{{ x }}`,
[link {{ x }}](https://a.example/?q={{ x }}).

| Fact | Value |
|---|---|
| One | {{ x }} |
| {{ x }} | **{{ x }}** |

- {{ x }}
  - {{ x }}

1. {{ x }}

> {{ x }}

| A | B | C |
|---|---|---|
| {{ x }} | {{ x }} | {{ x }} |

## Second {{ x }}

```
{{ x }}
```
"""
)
PIECES = st.sampled_from(
    [
        *(
            "*",
            "_",
            "~",
            "`",
            "```",
            "<",
            ">",
            "&",
            "|",
            "\\",
            '"',
            "'",
            "{{",
            "}}",
            "a",
            " ",
            "x_y",
        ),
        *("[", "](https://evil.example)", "https://evil.example", "<https://evil.example|x>"),
        *("{{DATE(2026-01-01T00:00:00Z)}}", "${x}", "<at>all</at>", "<b>", "</td>", "&#x3c;"),
        *("- ", "1. ", "# ", "\r\nBcc: a@b.example\r\n", "\u200f", "\u0647"),
        *("<!channel>", "<@U012>", "@here", ":tada:", "&lt;", "\n", "\n\n# ", "\n- "),
        *("日本語", "👩‍💻", "\u202e", "\x00", "\ud800"),
    ]
)
HOSTILE = st.one_of(
    st.lists(PIECES, max_size=12).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=100),
    st.builds(lambda part, times: part * times, PIECES, st.integers(0, 4000)),
)


def message(x: str, language: str = "en") -> Document:
    return render_template(MESSAGE, {"x": x}, language)
