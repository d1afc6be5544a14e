"""What the demo changes in SimCord's page: its name, which tools are shown, and that it follows the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

STYLE = """\
/* Tools for whoever tests a bot with SimCord; a reader of stories has no use for them. */
#capture-open, #inspector-toggle, .session-menu, #view-action-output { display: none }
#refresh, #messages-toggle, #messages-sidebar, #drawer-scrim { display: none }
.preview-brand small { white-space: nowrap }
.viewer-control { font-size: 15px }
"""

SCRIPT = """\
// SimCord keeps to the bottom only where the page stands there to the pixel, and composing a command makes the
// conversation shorter by a line: without this, the ballot that one has just asked for appears out of sight.
const NEAR_PX = 120;
const timeline = document.getElementById("channel-timeline");
let follows = true;

function isNearBottom() {
  return timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight <= NEAR_PX;
}
function follow() {
  if (follows) timeline.scrollTop = timeline.scrollHeight;
}

timeline.addEventListener("scroll", () => { follows = isNearBottom(); }, { passive: true });
document.getElementById("channel-composer").addEventListener("submit", () => { follows = true; follow(); }, true);
const sizes = new ResizeObserver(follow);
sizes.observe(timeline);
sizes.observe(document.getElementById("channel-message-list"));

// SimCord's page is about one channel; the demo turns it to another one and loads it anew.
const channels = document.getElementById("talewright-channel");
channels.addEventListener("change", async () => {
  channels.disabled = true;
  const address = "/talewright/channel/" + encodeURIComponent(channels.value);
  const key = window.location.hash.slice(1);
  await fetch(address, { method: "POST", headers: { "X-Simcord-Capability": key } });
  window.location.reload();
});
"""

REWRITES = (
    ("<title>SimCord Preview</title>", "<title>Talewright demo</title>"),
    ("<strong>SimCord</strong><small>Preview</small>", "<strong>Talewright</strong><small>demo in SimCord</small>"),
    ('<span class="brand-mark" aria-hidden="true">S</span>', '<span class="brand-mark" aria-hidden="true">T</span>'),
    ("</head>", '<link rel="stylesheet" href="/talewright.css"></head>'),
    ("</body>", '<script type="module" src="/talewright.js"></script></body>'),
)


VIEWER = '<label class="viewer-control">Viewing as'
"""Where the choice of a channel goes: before the choice of a member."""


def dress(page: str, channels: Sequence[str], shown: str) -> str:
    """SimCord's page in the demo's clothes; what is not found in it stays as it is. `shown` is one of `channels`."""
    for old, new in (*REWRITES, (VIEWER, _choice(channels, shown) + VIEWER)):
        page = page.replace(old, new, 1)
    return page


def _choice(channels: Sequence[str], shown: str) -> str:
    options = "".join(f"<option{' selected' if name == shown else ''}>{escape(name)}</option>" for name in channels)
    return (
        '<label class="viewer-control">Channel '
        f'<select id="talewright-channel" aria-label="Channel">{options}</select></label>'
    )
