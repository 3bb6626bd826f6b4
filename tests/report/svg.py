"""Reads back what a plot drew."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from judgekit.report.drawing import WIDTH, breadth

PLACES = {"x", "y", "cx", "cy", "r", "x1", "x2", "y1", "y2", "width", "height"}


def drawn(svg: str) -> ElementTree.Element:
    """Parse a picture, and hold it to what every picture owes: said in words, nothing active, all labels inside."""
    root = ElementTree.fromstring(svg)
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])

    assert root.attrib["role"] == "img" and root.attrib["aria-label"]
    assert not {"script", "image", "foreignObject", "a"} & {node.tag for node in root.iter()}
    for node in root.iter():
        places = [node.attrib[name] for name in PLACES & set(node.attrib)] + node.attrib.get("points", "").split()
        assert all(math.isfinite(float(v)) for place in places for v in place.split(",")), node.attrib
    assert width >= WIDTH and ("large" in root.attrib.get("class", "")) == (width > WIDTH)
    turned = set(root.iterfind(".//g[@transform]/text"))
    for node in set(root.iter("text")) - turned:
        left, right = span(node)
        assert left >= -0.5 and right <= width + 0.5, node.text
        assert 0 < float(node.attrib["y"]) <= height, node.text
    return root


def span(node: ElementTree.Element) -> tuple[float, float]:
    """Return where a text starts and ends."""
    size = float(re.search(r"font-size:([\d.]+)px", node.attrib["style"])[1])
    wide, x = breadth(node.text or "", size), float(node.attrib["x"])
    start = {"start": x, "middle": x - wide / 2, "end": x - wide}[node.attrib["text-anchor"]]
    return start, start + wide


def texts(root: ElementTree.Element) -> list[str]:
    return [node.text or "" for node in root.iter("text")]


def numbers(nodes: list[ElementTree.Element], name: str) -> list[float]:
    return [float(node.attrib[name]) for node in nodes]


def overlaps(root: ElementTree.Element) -> list[tuple[str, str]]:
    """Return the pairs of upright texts that lie on each other."""
    turned = set(root.iterfind(".//g[@transform]/text"))
    nodes = [node for node in root.iter("text") if node not in turned]
    found = []
    for i, a in enumerate(nodes):
        for b in nodes[i + 1 :]:
            near = abs(float(a.attrib["y"]) - float(b.attrib["y"])) < 9
            if near and min(span(a)[1], span(b)[1]) - max(span(a)[0], span(b)[0]) > 0:
                found.append((a.text, b.text))
    return found
