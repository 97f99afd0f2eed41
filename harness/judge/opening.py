"""The judge that an experiment asks for: by visits to its function, or by a metric that its command prints."""

import time

from harness.contract import Experiment
from harness.judge import kept
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.shell import MetricJudge
from harness.judge.toolchain import cache_folder


def open_judge(experiment: Experiment, stop: Stop, *, require_sandbox: bool = False) -> Judge:
    kept.sweep(cache_folder(), time.time())
    kind = MetricJudge if experiment.command else Judge
    return kind(experiment, stop, require_sandbox=require_sandbox)
