"""Changes every setting of the tiny run, one by one, and says which rules would begin to run again.

    .venv/bin/python benchmarks/leaf_reruns.py

A setting that reruns a rule which does not read it is spurious, one that reruns less than it must is missed. Minutes
on one core; nothing runs. The status is 1 when a setting is missed or spurious.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "fixtures")]

from leaf_sweep import begun, changes, expected, recorded, tiny, unchanged  # noqa: E402
from other_values import changed  # noqa: E402


def main() -> int:
    raw = tiny()
    before = recorded(raw)
    spurious, missed, count = 0, 0, 0
    for path, value in changes(raw):
        found, wanted = begun(before, recorded(changed(raw, path, value))), expected(raw, path, value)
        count += 1
        if found - wanted:
            spurious += 1
            print(f"spurious: {path} = {value!r} reruns {', '.join(sorted(found - wanted))}")
        if wanted - found:
            missed += 1
            print(f"missed: {path} = {value!r} does not rerun {', '.join(sorted(wanted - found))}")
    print(f"{count} settings changed one by one: {missed} missed, {spurious} spurious")
    print(f"not changed, because no other value is allowed by itself: {', '.join(sorted(unchanged(raw)))}")
    return int(bool(spurious or missed))


if __name__ == "__main__":
    sys.exit(main())
