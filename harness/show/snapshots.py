"""The pages and the picture that the store writes beside SCORES.json and MEMORY.json."""

from harness.keep.beginning import Pages
from harness.show import plots, remembered, report

PAGES = Pages(scores=report.scores_md, memory=remembered.memory_md, picture=plots.search_svg)
