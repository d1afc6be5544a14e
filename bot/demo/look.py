"""What the demo changes in SimCord's page: its name, which tools are shown, and that it follows the conversation."""

from __future__ import annotations

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
"""

REWRITES = (
    ("<title>SimCord Preview</title>", "<title>Talewright demo</title>"),
    ("<strong>SimCord</strong><small>Preview</small>", "<strong>Talewright</strong><small>demo in SimCord</small>"),
    ('<span class="brand-mark" aria-hidden="true">S</span>', '<span class="brand-mark" aria-hidden="true">T</span>'),
    ("</head>", '<link rel="stylesheet" href="/talewright.css"></head>'),
    ("</body>", '<script type="module" src="/talewright.js"></script></body>'),
)


def dress(page: str) -> str:
    """SimCord's page in the demo's clothes; what is not found in it stays as it is."""
    for old, new in REWRITES:
        page = page.replace(old, new, 1)
    return page
