"""A credit policy as the file that :func:`models.credit_policy.load_policy` reads."""

import json
from dataclasses import asdict
from pathlib import Path

from models.credit_policy import POLICY_FILE, Policy, load_policy


def write_policy(policy: Policy, version: str, path: Path) -> None:
    """Writes the policy that comes with the code as ``version``, with the factors and raters of ``policy``, one line
    for each entry. Raises ValueError where that breaks a promise of docs/credit.md."""
    stated = json.loads(POLICY_FILE.read_text(encoding="utf-8"))
    factors = {name: asdict(factor) for name, factor in policy.factors.items()}
    document = stated | {"version": version, "factors": factors, "raters": dict(policy.raters)}
    lines = ",\n".join(f"  {json.dumps(name)}: {_laid_out(value)}" for name, value in document.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    load_policy(path)


def _laid_out(value: object) -> str:
    """JSON with a line for each entry that is a list or a mapping itself, all in one line where none is."""
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if not any(isinstance(one, dict | list) for one in entries):
        return json.dumps(value)
    if isinstance(value, dict):
        lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in value.items()]
        return "{\n    " + ",\n    ".join(lines) + "\n  }"
    return "[\n    " + ",\n    ".join(json.dumps(one) for one in entries) + "\n  ]"
