"""Names of AWS's regions: those known today, and any that looks like one."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Final

from auditor.domains.model import DEAD, Domain, finite

_R_START, _R_FIRST, _R_AREA, _R_DASH, _R_WORD, _R_DASH2, _R_NUMBER, _R_NUMBER2 = range(8)
_ON_LETTER: Final = {
    _R_START: _R_FIRST,
    _R_FIRST: _R_AREA,
    _R_AREA: _R_AREA,
    _R_DASH: _R_WORD,
    _R_WORD: _R_WORD,
    _R_DASH2: _R_WORD,
}


def _step_region(state: int, char: str) -> int:
    """Step a name such as ``eu-west-1`` or ``us-gov-west-1``: letters, words, a number."""
    if "a" <= char <= "z":
        return _ON_LETTER.get(state, DEAD)
    if char == "-":
        return {_R_AREA: _R_DASH, _R_WORD: _R_DASH2}.get(state, DEAD)
    if "0" <= char <= "9":
        return {_R_DASH2: _R_NUMBER, _R_NUMBER: _R_NUMBER2}.get(state, DEAD)
    return DEAD


def is_region(text: str) -> bool:
    """Tell whether the text has the shape of a region's name; new regions appear, so any does."""
    state = _R_START
    for char in text:
        state = _step_region(state, char)
        if state == DEAD:
            return False
    return state in (_R_NUMBER, _R_NUMBER2)


KNOWN_REGIONS: Final = (
    "us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "us-east-2", "us-west-1", "eu-west-2",
    "eu-west-3", "eu-north-1", "eu-south-1", "ap-south-1", "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "sa-east-1",
    "me-south-1", "af-south-1", "il-central-1", "ap-east-1", "ap-east-2", "ap-south-2",
    "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
    "ca-west-1", "eu-central-2", "eu-south-2", "me-central-1", "mx-central-1",
    "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1",
    "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1", "eu-isoe-west-1",
    "us-isof-south-1", "us-isof-east-1",
)  # fmt: skip
"""Regions known when this was written; new ones appear.
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"""

KNOWN_REGION: Final = replace(finite("known region", *KNOWN_REGIONS), textual=True)
REGION: Final = Domain(
    name="region",
    textual=True,
    start=_R_START,
    step=_step_region,
    accepts=lambda state: state in (_R_NUMBER, _R_NUMBER2),
    contains=is_region,
    fresh=(string.ascii_lowercase, "-", string.digits),
    nice=KNOWN_REGIONS,
    fillers=("", "1", "east-1", "us-east-1", "west", "eu"),
)

_PARTITION_REGIONS: Final = {
    "aws-cn": "cn-*",
    "aws-us-gov": "us-gov-*",
    "aws-iso": "us-iso-*",
    "aws-iso-b": "us-isob-*",
    "aws-iso-e": "eu-isoe-*",
    "aws-iso-f": "us-isof-*",
}


def regions_of(partition: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the glob that the partition's regions match (None: any) and those they don't.

    https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
    """
    mine = _PARTITION_REGIONS.get(partition)
    if mine is not None:
        return mine, ()
    return None, ("cn-*", "us-gov-*", "us-iso*", "eu-iso*") if partition == "aws" else ()
