"""An experiment with fewer workloads to time, for tests that are not about all of them: what is checked stays whole."""

from dataclasses import replace

from harness.contract import Experiment


def brief(experiment: Experiment, *cases: str, **limits: float) -> Experiment:
    """The experiment with these of its timed cases alone, and with some of its limits changed. One call of the seed in
    `batch` of `linear` takes ten times as long as one in each of the others together."""
    evaluation = experiment.evaluation
    timed = [case for case in evaluation.cases if case.name in cases]
    assert len(timed) == len(cases)
    return replace(experiment, evaluation=replace(evaluation, cases=timed), limits=replace(experiment.limits, **limits))
