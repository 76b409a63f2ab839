"""Plan files nobody would write, and such as almost might be."""

SCALARS = [
    "gan", "dcgan", "on", "yes", "~", "1", "-1", "1e3", "0x" + "f" * 5000, "9" * 5000, ".inf", ".nan", "1:1:1.5",
    "1:" * 9000 + "1", "2020-13-45", "!!timestamp x", "!!int ''", "!!bool x", "!!binary '%'", "!!python/name:os.system",
    "!!set {a}", "&a x", "*a", "<<", "|", "''", "'", "\\", "\0", "\udcff", "[", "[]", "{}", "{a: 1}", "[gan, dcgan]",
    "[" * 3000, "%YAML 9.9", "---", "...", "lr_d=1", "smoke", "cpu", "a" * 99_000,
]  # fmt: skip
LIKELY = {
    "task": "curves", "bn": "on/off", "set": "[lr_d=1e-3, lr_g=1]", "seeds": "3", "preset": "smoke", "steps": "40",
    "samples": "300", "device": "cpu", "select": "best", "precision": "fp32", "checkpoint-every": "0.5", "jobs": "2",
    "fresh": "true", "offline": "yes", "metrics": "[kid]",
}  # fmt: skip
ODD = ["algos", "epochs", "gpu-share", "plan", "help", "? [1]", "1", "null", "<<", "? 0x" + "f" * 5000 + "\n"]


def _line(rng):
    if rng.random() < 0.8:
        key, value = rng.choice(list(LIKELY.items()))
        return f"{key}: {value if rng.random() < 0.8 else _value(rng)}"
    return f"{rng.choice([*LIKELY, *ODD])}: {_value(rng)}"


def _value(rng, depth=0):
    if depth < 3 and rng.random() < 0.2:
        return f"[{', '.join(_value(rng, depth + 1) for _ in range(rng.randint(0, 3)))}]"
    return rng.choice(SCALARS)


def _bomb(rng):
    """Aliases of aliases: each line stands for ten of the line before."""
    lines = ["- &a0 [x]", *(f"- &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, rng.randint(2, 30)))]
    return "\n".join(["algos:", *lines])


def plan_file(rng, place):
    """A plan's file; the command prints its grid."""
    path = place.path("plan.yaml")
    if rng.random() < 0.05:
        text = _bomb(rng)
    else:
        lines = [_line(rng) for _ in range(rng.choice([0, 1, 2, 4]))]
        text = "\n".join(["algos: gan" if rng.random() < 0.9 else _value(rng), *lines])
    content = text.encode(errors="surrogateescape")
    if rng.random() < 0.2:
        at = rng.randrange(len(content) + 1)
        content = content[:at] + rng.randbytes(2) + content[at + rng.randint(0, 3) :]
    path.write_bytes(content)
    where = "/dev/zero" if rng.random() < 0.02 else str(path)
    return ["plan", where, "--no-timing"]
