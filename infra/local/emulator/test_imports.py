"""The modules of this folder import each other in one direction, at their beginning."""

import ast
import graphlib
import pathlib
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent


def names(node):
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").partition(".")[0]]
    return []


def imports(folder):
    """(the siblings that each module imports, the imports of siblings that are not at a module's beginning)"""
    siblings = {path.stem: path for path in folder.glob("*.py")}
    graph, late = {}, []
    for module, path in siblings.items():
        tree = ast.parse(path.read_text())
        graph[module] = set()
        for node in ast.walk(tree):
            found = set(names(node)) & siblings.keys()
            graph[module] |= found
            late += [f"{path.name}:{node.lineno}" for _ in found if node not in tree.body]
    return graph, late


class ImportsTest(unittest.TestCase):
    def test_no_circle(self):
        graph, late = imports(HERE)
        self.assertIn("engine", graph["executions"])
        self.assertEqual(late, [], "an import of a sibling inside a function hides a circle")
        tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError

    def test_a_circle_is_found(self):
        with tempfile.TemporaryDirectory() as made:
            folder = pathlib.Path(made)
            (folder / "a.py").write_text("import json\nfrom b import c\n")
            (folder / "b.py").write_text("def f():\n    import a\n")
            graph, late = imports(folder)
        self.assertEqual(late, ["b.py:2"])
        with self.assertRaises(graphlib.CycleError):
            tuple(graphlib.TopologicalSorter(graph).static_order())


if __name__ == "__main__":
    unittest.main()
