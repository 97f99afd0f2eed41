"""The pages and the picture that the store writes beside SCORES.json and MEMORY.json."""

from harness.keep.store import Pages
from harness.show import plots, report

PAGES = Pages(scores=report.scores_md, memory=report.memory_md, picture=plots.search_svg)
