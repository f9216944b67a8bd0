#!/usr/bin/env python3
"""Draws the demo's timeline as docs/timeline.svg, a terminal window in monospace.

    script -qec "stty cols 100; cargo run --release -q -- demo --once" /dev/null | python3 docs/make_timeline.py > docs/timeline.svg

Reads the demo's output with its colours from standard input and keeps the chapters in CHAPTERS.
Standard library only.
"""
import html
import re
import sys

CHAPTERS = ["The straight way", "Sixteen minutes"]
FONT, CHAR, LINE, PAD, BAR = 14, 8.43, 20, 24, 38
COLOURS = {"2": "#8b949e", "1": "#f0f6fc", "31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#79c0ff"}


def chapters(text):
    """The opening, and of the rest what CHAPTERS names."""
    text = re.sub(r"\r\n?", "\n", text)
    parts = re.split(r"\n(?=\n(?:\x1b\[\d+m)?▌ ?)", text)
    keep = [parts[0]]
    for part in parts[1:]:
        if any(name in part for name in CHAPTERS):
            keep.append(part)
    return "\n".join(keep).strip("\n").split("\n")


def runs(line):
    """(column, colour code, text) of each piece of a line."""
    column, code = 0, "0"
    for piece in re.split(r"(\x1b\[\d*m)", line):
        escape = re.fullmatch(r"\x1b\[(\d*)m", piece)
        if escape:
            code = escape.group(1) or "0"
        elif piece:
            yield column, code, piece
            column += len(piece)


def draw(lines):
    width = 100 * CHAR + 2 * PAD
    height = len(lines) * LINE + BAR + 2 * PAD
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" '
        f'height="{height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', '
        f'monospace" font-size="{FONT}" role="img" aria-label="The demo\'s timeline in a terminal">',
        f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1}" rx="10" fill="#0d1117" stroke="#484f58"/>',
    ]
    for i, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
        out.append(f'<circle cx="{PAD + i * 20}" cy="22" r="6" fill="{colour}"/>')
    out.append(f'<text x="{width / 2:.0f}" y="27" text-anchor="middle" fill="#8b949e">tagtill demo</text>')
    for row, line in enumerate(lines):
        y = BAR + PAD + row * LINE
        for column, code, text in runs(line):
            lead = len(text) - len(text.lstrip(" "))
            text = text.strip(" ")
            if not text:
                continue
            x = PAD + (column + lead) * CHAR
            weight = ' font-weight="bold"' if code == "1" else ""
            fill = COLOURS.get(code, "#c9d1d9")
            # Every piece is stretched to the grid, whatever font the reader has.
            out.append(
                f'<text x="{x:.1f}" y="{y}" fill="{fill}"{weight} xml:space="preserve" '
                f'textLength="{len(text) * CHAR:.1f}" lengthAdjust="spacingAndGlyphs">{html.escape(text)}</text>'
            )
    out.append("</svg>")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    sys.stdout.write(draw(chapters(sys.stdin.read())))
