"""`--summary`: one page with a time line for each track; no script, nothing loaded from elsewhere. Pure."""

from __future__ import annotations

import html
from collections.abc import Sequence

from faced_cli.palette import EMOTIONS, Colour
from faced_cli.terminal import whole_text
from faced_cli.video_summary import TrackSummary, VideoSummary, clock

_WIDTH, _HEIGHT, _AXIS = 1000, 72, 20
_MOST_TRACKS = 100
_OTHER: Colour = (120, 126, 136)

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6470;--line:#d8dde3;--page:#fff;--lane:#f1f3f5}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4b0;--line:#343b44;--page:#14171a;--lane:#1f2429}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--page);
margin:0 auto;max-width:1100px;padding:32px 24px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:36px 0 4px;overflow-wrap:anywhere}
p{margin:0 0 12px;color:var(--soft)}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;margin:16px 0;font-size:13px}
.key i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.track{border-top:1px solid var(--line);padding:12px 0}
.track h3{font-size:15px;margin:0;display:inline}
.track span{color:var(--soft);margin-left:10px;font-size:13px}
svg{display:block;width:100%;height:auto;margin-top:6px}
svg text{fill:var(--soft);font-size:12px}svg .lane{fill:var(--lane)}
footer{margin-top:40px;color:var(--soft);font-size:13px}
"""


def page(summaries: Sequence[VideoSummary]) -> str:
    """An HTML document."""
    labels = list(dict.fromkeys(label for s in summaries for t in s.tracks.values() for label in _labels(t)))
    key = "".join(f'<span><i style="background:{_colour(label)}"></i>{_text(label)}</span>' for label in labels)
    videos = "\n".join(_video(summary) for summary in summaries)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Faces over time</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Faces over time</h1>
<p>Each lane is one face that was followed; its height at a moment is divided by the probabilities of the emotions.</p>
<div class="key">{key}</div>
{videos}
<footer>These are statements about how faces look, not about what people feel.</footer>
</body>
</html>
"""


def _video(summary: VideoSummary) -> str:
    tracks = summary.longest()
    facts = f"{clock(summary.end_s)} · {_count(summary.frames, 'frame')} analysed · {_count(summary.faces, 'face')}"
    facts += f" · {_count(len(tracks), 'track')}" + (f" · {summary.failed} failed" if summary.failed else "")
    lanes = "\n".join(_track(track, summary.end_s) for track in tracks[:_MOST_TRACKS])
    more = f"<p>and {len(tracks) - _MOST_TRACKS} shorter tracks</p>" if len(tracks) > _MOST_TRACKS else ""
    return f"<section>\n<h2>{_text(summary.source)}</h2>\n<p>{facts}</p>\n{lanes}\n{more}</section>"


def _track(track: TrackSummary, end_s: float) -> str:
    words = [f"{clock(track.first_s)} to {clock(track.last_s)}", f"seen for {track.seconds:.1f} s"]
    words += [f"{label} {seconds:.1f} s" for label, seconds in track.emotions.most_common(4)]
    words += [track.gender] if track.gender else []
    words += [f"looks {track.age:.0f} years old"] if track.age is not None else []
    return (
        f'<div class="track"><h3>#{track.number}</h3><span>{_text(" · ".join(words))}</span>\n'
        f"{_lane(track, max(end_s, 1e-3))}</div>"
    )


def _lane(track: TrackSummary, end_s: float) -> str:
    scale = _WIDTH / end_s
    parts = [f'<rect class="lane" width="{_WIDTH}" height="{_HEIGHT}" rx="4"/>']
    for begin, end, means in track.timeline.means():
        left, right = begin * scale, min(end * scale, _WIDTH)
        top = 0.0
        told = "; ".join(f"{label} {p:.0%}" for label, p in sorted(means.items(), key=lambda item: -item[1])[:3])
        bars = []
        for label, p in means.items() or [("", 1.0)]:
            height = p * _HEIGHT
            bars.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0.5):.1f}" height="{height:.1f}"'
                f' fill="{_colour(label)}"/>'
            )
            top += height
        parts.append(f"<g><title>{clock(begin)}: {_text(told) or 'seen'}</title>{''.join(bars)}</g>")
    for i in range(6):
        anchor = "start" if i == 0 else "end" if i == 5 else "middle"
        x = i * _WIDTH / 5
        parts.append(f'<text x="{x:.0f}" y="{_HEIGHT + 15}" text-anchor="{anchor}">{clock(i * end_s / 5)}</text>')
    name = f"time line of track {track.number}"
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT + _AXIS}" shape-rendering="crispEdges"'
    return f'<svg {box} role="img" aria-label="{name}">{"".join(parts)}</svg>'


def _labels(track: TrackSummary) -> list[str]:
    return [label for _, _, means in track.timeline.means() for label in means]


def _colour(label: str) -> str:
    red, green, blue = EMOTIONS.get(label, _OTHER)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _text(text: str) -> str:
    return html.escape(whole_text(text))
