"""The auditor's verdicts in worlds so small that every request is tried: exact answers."""

from __future__ import annotations

import json
import random

import pytest

from .labs import LABS, exact, lab_role
from .verdicts import judge_witnesses, verdict

ROLES = 120


@pytest.mark.parametrize("name", LABS)
def test_verdicts_are_exact(name: str) -> None:
    """In a world where every kind of request is tried, verdict and certainty are those found."""
    lab = LABS[name]
    differing, found = [], set()
    for number in range(ROLES):
        # Pseudo-random on purpose: the same roles in every run.
        subject = lab_role(lab, random.Random(f"{name}/{number}"))  # noqa: S311
        report = verdict(subject)
        said, wanted = report.certainty or report.verdict, exact(lab, subject)
        found.add(wanted)
        wrong = [complaint.what for complaint in judge_witnesses(subject, report, None)]
        if said != wanted or wrong:
            documents = json.dumps([*subject.policies, subject.boundary])
            differing.append(f"{number}: said {said}, is {wanted}: {wrong} {documents}")
    assert found >= {"proven", "no_send"}
    assert not differing, "\n".join(differing)
