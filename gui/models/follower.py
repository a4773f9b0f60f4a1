"""Finds what was selected and open in the tree of images again in a newer snapshot."""

from engine.snapshot import Entry
from gui.models.facts import Facts
from gui.models.image_nodes import ROOT, Nodes

Key = tuple[int, int]
"""A row and its role."""


class Follower:
    """Finds the nodes of one snapshot in those of a newer one: by name and digest, all the way down."""

    def __init__(self, before: Nodes, after: Nodes) -> None:
        self._before = before
        self._after = after
        self._found: dict[int, int] = {ROOT: ROOT}
        self._indexed: dict[int, dict[tuple[Key, int], int]] = {}

    def find(self, node: int) -> int:
        """The same node in the newer snapshot; ``ROOT`` where it is gone."""
        way, here = [], node
        while here not in self._found:
            way.append(here)
            here = self._before.parent(here)
        for here in reversed(way):
            self._found[here] = self._look(here)
        return self._found[node]

    def _look(self, node: int) -> int:
        before, after = self._before, self._after
        if node < before.group:
            return self._find_entry(before.snapshot.entries[node])
        if node == before.group:
            return after.group if after.lost else ROOT
        parent = before.parent(node)
        there = self._found[parent]
        if there == ROOT:
            return ROOT
        key, number = self._key(node), 0
        first = before.children(parent).first
        for brother in range(first, node):
            number += before.row(brother) == key[0] and self._key(brother) == key
        row = after.snapshot.find(before.snapshot.name(key[0]))
        return self._children(there).get(((row, key[1]), number), ROOT)

    def _key(self, node: int) -> Key:
        role = self._before.role(node)
        return self._before.row(node), -1 if role is None else role

    def _children(self, parent: int) -> dict[tuple[Key, int], int]:
        """The children of a node of the newer snapshot, by row, role and number among equals."""
        found = self._indexed.get(parent)
        if found is None:
            found = self._indexed[parent] = {}
            first, count = self._after.children(parent)
            numbers: dict[Key, int] = {}
            for child in range(first, first + count):
                role = self._after.role(child)
                key = self._after.row(child), -1 if role is None else int(role)
                numbers[key] = numbers.get(key, -1) + 1
                found[key, numbers[key]] = child
        return found

    def _find_entry(self, entry: Entry) -> int:
        before, after = self._before.facts, self._after.facts
        old = self._entries_like(before, entry)
        new = self._entries_like(after, entry)
        same_old = [each.position for each in old if each.names == entry.names]
        same_new = [each.position for each in new if each.names == entry.names]
        if same_new:
            number = same_old.index(entry.position)
            return same_new[number] if number < len(same_new) else ROOT
        if len(old) == len(new) and new:
            known = {each.names for each in old}
            renamed = [each.position for each in new if each.names not in known]
            return renamed[0] if len(renamed) == 1 else ROOT
        if entry.names and not new:
            # The name points to other content now.
            moved = [each.position for each in after.snapshot.entries if each.names == entry.names]
            return moved[0] if len(moved) == 1 else ROOT
        return ROOT

    @staticmethod
    def _entries_like(facts: Facts, entry: Entry) -> list[Entry]:
        """The entries with the same content."""
        digest, entries = entry.descriptor.digest, facts.snapshot.entries
        row = facts.snapshot.find(digest) if digest else -1
        found = [entries[position] for position in facts.positions_of(row).tolist()]
        return found if row >= 0 else [each for each in found if each.descriptor == entry.descriptor]
