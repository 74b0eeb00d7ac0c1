"""Reading lessons: what is a formula, where it stands, and that what cannot be read is said."""

import json
from pathlib import Path
from time import process_time

import pytest

from oracle.lesson.document import CodeBlock, Document, Formula, Prose, Table
from oracle.lesson.reading import ReadError, read

MARKDOWN = r"""---
title: A net
audit:
  loss: squared_error
---
# Forward

It costs \$5, or $6 and $7. With $z_j = w_j x$ and `$no$`:

$$
a_j = \sigma(z_j) \label{act}
$$

> $$
> b
> = c
> $$

<!-- audit: activation: tanh -->
<!-- audit: skip: a sketch -->
\\[ \\{ x\_1 \\} \\\\ y \\]

\begin{align}
x &= y \\
z &= 2
\end{align}

| name | value |
|---|---|
| $x$ | 0.5 |

```python
cost = "$a$"
```
```math
\delta = y - t
```
"""
TRIPLES = r"""A page > Errors

Let z k z_k zk be the input of K K K units.
∂ L ∂ z k = ( y k − t k ) σ ′ ( z k ) \\frac{\\partial L}{\\partial z_k}=(y_k - t_k)\\sigma'(z_k) zkL=(yktk)σ(z)

The factor ( y k − t k ) (y_k-t_k) (yktk) is the error, and that is all.
"""
LATEX = r"""\title{A net}
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}} % $no$
\DeclareMathOperator{\relu}{ReLU}
\section{Forward}
Let $ z $ cost 5\% and \verb|$no$| more. \\[2pt]
% audit: loss: squared_error
% audit: wrong on purpose
\begin{equation}\label{eq:d}
\pd{L}{z} = y
\end{equation}
\begin{align*}
a &= b \\[2pt]
c &= d
\end{align*}
\begin{lstlisting}[language=Python]
x = "$y$"
\end{lstlisting}
"""
CELLS: list[dict[str, object]] = [
    {
        "cell_type": "markdown",
        "metadata": {"source": "$no$"},
        "source": ["# A net\n", "$$\n", "z = \\sigma(a)\n", "= b\n", "$$"],
    },
    {"cell_type": "markdown", "metadata": {}, "source": "ä \t $x_1$ <!-- audit: loss: mse -->\n\n$$ y"},
    {"cell_type": "markdown", "metadata": {}, "source": []},
    {"cell_type": "code", "metadata": {}, "outputs": [], "source": ['x = "$y$"\n', "x"]},
]
NOTEBOOK = json.dumps({"cells": CELLS, "metadata": {}}, indent=1)
RST = r"""
A net
=====

With :math:`z_1 = w x` and ``$no$``:

.. audit: loss: mse
.. math::
   :label: act

   a = \sigma(z)
     = b

.. math:: c = d

.. code-block:: Python

   x = ":math:`y`"
   x

Then words.
"""
HTML = r"""<!DOCTYPE html>
<html><head><title>Page</title><style>a { $b$ }</style></head><body><h1>A <em>net</em></h1>
<p>With <span class="katex"><span class="katex-mathml"><math><mi>z</mi>
<annotation encoding="application/x-tex">z_j &lt; 1</annotation></math></span><span>z $no$</span></span> and
\(a &amp;= \sigma(z)\) for $5 or $6.<br><code>$no$</code></p>
<!-- audit: loss: mse; wrong on purpose -->
<p>$$y
= a &gt; b$$</p>
<script type="math/tex; mode=display">t & u</script>
<math alttext="x_1 &lt; 2" display="block"><mi>x</mi></math>
<p>\[ open</p><p>closed \alpha</p><math><mi>q</mi></math>
<pre><code class="language-Python">x = "$y$" &lt; 1
</code></pre>
<table><tr><th>name</th></tr><tr><td>$w$</td></tr></table>
</body></html>
"""
SAMPLES = {
    "lesson.html": HTML,
    "lesson.rst": RST,
    "lesson.ipynb": NOTEBOOK,
    "lesson.md": MARKDOWN,
    "lesson.txt": TRIPLES,
    "lesson.tex": LATEX,
}


def formulas(document: Document) -> list[Formula]:
    return [piece for piece in document.pieces if isinstance(piece, Formula)]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_formula_put_back_at_its_place_gives_the_same_lesson(name: str) -> None:
    before = read(Path(name), SAMPLES[name])
    assert formulas(before)
    for number, formula in enumerate(formulas(before)):
        text, place = before.text, formula.place
        again = read(Path(name), text[: place.start] + formula.escape(formula.tex) + text[place.end :])
        assert [f.tex for f in formulas(again)] == [f.tex for f in formulas(before)]
        assert formulas(again)[number].place.start == place.start
        assert text.count("\n", 0, place.start) + 1 == place.line
        assert text.split("\n")[place.line - 1][place.column - 1] == text[place.start]


def test_markdown() -> None:
    lesson = read(Path("lesson.md"), MARKDOWN)
    assert [(f.tex, f.display) for f in formulas(lesson)] == [
        ("z_j = w_j x", False),
        (r"a_j = \sigma(z_j) \label{act}", True),
        ("b\n= c", True),
        (r"\{ x_1 \} \\ y", True),
        ("\\begin{align}\nx &= y \\\\\nz &= 2\n\\end{align}", True),
        ("x", False),
        (r"\delta = y - t", True),
    ]
    assert lesson.title == "A net"
    assert lesson.settings == {"loss": "squared_error", "activation": "tanh"}
    assert formulas(lesson)[3].directives == ("skip: a sketch",)
    assert formulas(lesson)[1].label == "act"
    assert [(c.language, c.text) for c in lesson.pieces if isinstance(c, CodeBlock)] == [("python", 'cost = "$a$"\n')]
    assert [t.rows for t in lesson.pieces if isinstance(t, Table)] == [(("name", "value"), ("$x$", "0.5"))]
    assert [(p.text, p.level) for p in lesson.pieces if isinstance(p, Prose) and p.level] == [("Forward", 1)]
    assert not lesson.notes


def test_a_line_in_bold_is_a_heading() -> None:
    text = "**A toy net**\n$z = w x$\n\n**Note:**\n$y = z$\n\n**It is so.**\n\n**The net of $L$ layers**  \n$a = z$"
    pieces = read(Path("a.md"), text).pieces
    heads = [piece.text for piece in pieces if isinstance(piece, Prose) and piece.level]
    assert heads == ["A toy net", "The net of $L$ layers"]
    assert [piece.tex for piece in pieces if isinstance(piece, Formula)] == ["z = w x", "y = z", "L", "a = z"]


def test_myst() -> None:
    text = "The net {math}`z = w x` is\n```{math}\n:label: forward\n:nowrap:\na = f(z)\n```\nwith ``code``.\n"
    pieces = read(Path("a.md"), text).pieces
    assert [piece.tex.strip() for piece in pieces if isinstance(piece, Formula)] == ["z = w x", "a = f(z)"]


def test_latex() -> None:
    lesson = read(Path("lesson.tex"), LATEX)
    assert [(f.tex, f.display) for f in formulas(lesson)] == [
        ("z", False),
        ("\\label{eq:d}\n\\pd{L}{z} = y", True),
        ("\\begin{align*}\na &= b \\\\[2pt]\nc &= d\n\\end{align*}", True),
    ]
    assert lesson.macros == {
        "pd": (2, r"\frac{\partial #1}{\partial #2}"),
        "relu": (0, r"\operatorname{ReLU}"),
    }
    assert (lesson.title, lesson.settings) == ("A net", {"loss": "squared_error"})
    assert (formulas(lesson)[1].label, formulas(lesson)[1].directives) == ("eq:d", ("wrong on purpose",))
    assert [(c.language, c.text) for c in lesson.pieces if isinstance(c, CodeBlock)] == [("python", 'x = "$y$"\n')]


def test_notebook() -> None:
    lesson = read(Path("lesson.ipynb"), NOTEBOOK)
    assert [(f.tex, f.display) for f in formulas(lesson)] == [("z = \\sigma(a)\n= b", True), ("x_1", False)]
    assert [(c.language, c.text) for c in lesson.pieces if isinstance(c, CodeBlock)] == [("python", 'x = "$y$"\nx')]
    assert (lesson.title, lesson.settings) == ("A net", {"loss": "mse"})
    unclosed = NOTEBOOK.split("\n")[lesson.notes[0].line - 1]
    assert "x_1" in unclosed
    assert read(Path("lesson.ipynb"), "{").notes


def test_restructuredtext() -> None:
    lesson = read(Path("lesson.rst"), RST)
    expected = [("z_1 = w x", False), ("a = \\sigma(z)\n  = b", True), ("c = d", True)]
    assert [(f.tex, f.display) for f in formulas(lesson)] == expected
    assert [f.label for f in formulas(lesson) if f.label] == ["act"]
    code = [piece for piece in lesson.pieces if isinstance(piece, CodeBlock)]
    assert [(c.language, c.text) for c in code] == [("python", 'x = ":math:`y`"\nx\n')]
    assert (lesson.title, lesson.settings) == ("A net", {"loss": "mse"})


def test_html() -> None:
    lesson = read(Path("lesson.html"), HTML)
    assert [(f.tex, f.display) for f in formulas(lesson)] == [
        ("z_j < 1", False),
        (r"a &= \sigma(z)", False),
        ("y\n= a > b", True),
        ("t & u", True),
        ("x_1 < 2", True),
        ("w", False),
    ]
    assert [f.directives for f in formulas(lesson)][2] == ("wrong on purpose",)
    assert (lesson.title, lesson.settings) == ("A net", {"loss": "mse"})
    code = [piece for piece in lesson.pieces if isinstance(piece, CodeBlock)]
    assert [(c.language, c.text) for c in code] == [("python", 'x = "$y$" < 1\n')]
    assert [t.rows for t in lesson.pieces if isinstance(t, Table)] == [(("name",), ("$w$",))]
    assert len(lesson.notes) == 2  # an unclosed formula, and one without TeX


def test_plain_text_has_each_formula_three_times() -> None:
    lesson = read(Path("lesson.txt"), TRIPLES)
    assert [(f.tex, f.display) for f in formulas(lesson)] == [
        ("z_k", False),
        ("K", False),
        (r"\frac{\partial L}{\partial z_k}=(y_k - t_k)\sigma'(z_k)", True),
        ("(y_k-t_k)", False),
    ]
    words = " ".join(piece.text for piece in lesson.pieces if isinstance(piece, Prose)).split()
    assert " ".join(words[-9:]) == "The factor is the error, and that is all."
    assert lesson.title == "Errors"


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\n$$ x = 1\n", 2), ("\n\n\\[ x\n", 3), ("```python\nx", 1), ("\\begin{align} x", 1), ("<!-- x", 1), ("", 1)],
)
def test_what_is_never_closed_is_said_with_its_line(text: str, line: int) -> None:
    assert [note.line for note in read(Path("lesson.md"), text).notes] == [line]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "lesson.md"
    with pytest.raises(ReadError, match="no such file"):
        read(path)
    path.write_bytes(b"\x7fELF\0\0")
    with pytest.raises(ReadError, match="is no text"):
        read(path)
    path.write_bytes("é\n$x$ caf".encode() + b"\xe9 \n")
    assert [note.line for note in read(path).notes] == [2]
    path.write_bytes(b"\xef\xbb\xbf$x$\r\n\r\n$$y$$\r\n")
    assert [(f.tex, f.place.line, f.place.column) for f in formulas(read(path))] == [("x", 1, 2), ("y", 3, 3)]


@pytest.mark.parametrize("suffix", [".md", ".txt", ".tex", ".html", ".rst", ".ipynb"])
@pytest.mark.parametrize(
    "part", ["$a ", "\\[ x\n\n", "\\( x ", "\\begin{align} ", "` `` ", "<!-- ", "|a|\n|-|\n", "$|", "\\def\\a{", "|-"]
)
def test_a_broken_file_takes_no_longer_than_its_length_allows(suffix: str, part: str) -> None:
    """Four times the length takes about four times as long, not sixteen: no search is begun again and again."""
    times = []
    for count in (2_000, 8_000):
        text = part * count
        text = json.dumps({"cells": [{"cell_type": "markdown", "source": text}]}) if suffix == ".ipynb" else text
        start = process_time()
        read(Path("lesson" + suffix), text)
        times.append(process_time() - start)
    assert times[1] < 10 * times[0] + 0.5
