"""All rules. A module registers its rules when it is imported, so all of them are imported here."""

from engine.rules import (
    annotations,
    beyond,
    config,
    content,
    descriptor,
    documents,
    index,
    json,
    layer,
    layout,
    manifest,
    platform,
    relations,
    stack,
)
from engine.rules.registry import RULES, check

__all__ = ["PARTS", "RULES", "check"]

PARTS = (
    *(layout, json, descriptor, annotations, platform, index, manifest, config, documents),
    *(content, relations, beyond, layer, stack),
)
"""The modules."""
