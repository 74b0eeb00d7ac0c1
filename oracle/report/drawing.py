"""Where the nodes and edges of a network go on the page: top to bottom in topological order, skips around the side."""

from dataclasses import dataclass, field
from itertools import groupby

from oracle.records import Finding
from oracle.report import words
from oracle.spec import Case

HEIGHT, PILL, GAP, ROW, LANE, MARGIN = 46.0, 26.0, 24.0, 86.0, 16.0, 8.0
LONGEST = 24
"""Characters of a name that are drawn."""


@dataclass
class Box:
    """A node, or an input tensor."""

    name: str
    label: str
    under: str
    """What the second line says: the operator, and how it fares."""
    status: str
    """As in `Stop`, or "input", or "plain" where nothing is known of any node."""
    row: int
    width: float
    slot: int = 0
    """Which argument of its first consumer it is: its order in the row."""
    x: float = 0.0
    y: float = 0.0

    @property
    def height(self) -> float:
        """An input is a flat pill."""
        return PILL if self.status == "input" else HEIGHT

    @property
    def middle(self) -> float:
        """The x of its middle."""
        return self.x + self.width / 2


@dataclass
class Drawing:
    """A network drawn: boxes, and the paths of its edges."""

    boxes: list[Box]
    paths: list[str] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def draw(finding: Finding) -> Drawing | None:
    """The network of a finding's case; None for step 5, which has none."""
    if not isinstance(finding.case, Case):
        return None
    case = finding.case
    boxes = _boxes(finding, case)
    drawing = Drawing(list(boxes.values()))
    _place(drawing)
    right = max(box.x + box.width for box in drawing.boxes)
    lane = 0
    for node in case.nodes:
        for k, name in enumerate(node.inputs):
            source, target = boxes[name.partition(":")[0]], boxes[node.name]
            at = target.x + target.width * (k + 1) / (len(node.inputs) + 1)
            lane += target.row - source.row > 1
            drawing.paths.append(_edge(source, target, at, right + LANE * lane))
    drawing.width = right + LANE * (lane + 1) * (lane > 0) + MARGIN
    return drawing


def _boxes(finding: Finding, case: Case) -> dict[str, Box]:
    """Every node below all that feeds it; every input tensor just above its first use."""
    statuses: dict[str, str] = {finding.born.node: "wrong"} if finding.born else {}
    statuses |= {stop.node: stop.status for stop in finding.backward}
    other = "unknown" if statuses else "plain"
    boxes: dict[str, Box] = {name: _box(name, "", "input", 0) for name in case.spec.input_names()}
    for node in case.nodes:
        rows = [boxes[name.partition(":")[0]].row for name in node.inputs]
        boxes[node.name] = _box(node.name, node.op, statuses.get(node.name, other), 1 + max(rows, default=0))
    for node in reversed(case.nodes):
        for k, name in enumerate(node.inputs):
            boxes[name.partition(":")[0]].slot = k
    for name in case.spec.input_names():
        boxes[name].row = min(boxes[node.name].row for node in case.spec.consumers(name)) - 1
    return boxes


def _box(name: str, op: str, status: str, row: int) -> Box:
    label = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    under = op[:LONGEST] if status in ("input", "plain") else f"{op[:LONGEST]} · {words.status(status)}"
    return Box(name, label, under, status, row, 8.2 * max(len(label), len(under), 4) + 22)


def _place(drawing: Drawing) -> None:
    """Rows from the top, each centred."""
    boxes = sorted(drawing.boxes, key=lambda box: (box.row, box.slot))
    rows = [list(row) for _, row in groupby(boxes, key=lambda box: box.row)]
    spans = [sum(box.width for box in row) + GAP * (len(row) - 1) for row in rows]
    top = MARGIN
    for row, span in zip(rows, spans, strict=True):
        x = MARGIN + (max(spans) - span) / 2
        tallest = max(box.height for box in row)
        for box in row:
            box.x, box.y = x, top + tallest - box.height
            x += box.width + GAP
        top += tallest + ROW - HEIGHT
    drawing.height = top - (ROW - HEIGHT) + MARGIN


def _edge(source: Box, target: Box, at: float, side: float) -> str:
    """A curve to the next row; from further up, a detour around the side."""
    x, y, end = source.middle, source.y + source.height, target.y - 5
    if target.row - source.row <= 1:
        bend = (end - y) / 2
        return f"M{_pt(x, y)} C{_pt(x, y + bend)} {_pt(at, end - bend)} {_pt(at, end)}"
    out, low, r = y + 13, target.y - 18, 9.0
    corners = (
        (x, out - r, x, out, x + r, out),
        (side - r, out, side, out, side, out + r),
        (side, low - r, side, low, side - r, low),
        (at + r, low, at, low, at, low + r),
    )
    bends = " ".join(f"L{_pt(a, b)} Q{_pt(c, d)} {_pt(e, f)}" for a, b, c, d, e, f in corners)
    return f"M{_pt(x, y)} {bends} L{_pt(at, end)}"


def _pt(x: float, y: float) -> str:
    return f"{x:.1f} {y:.1f}"
