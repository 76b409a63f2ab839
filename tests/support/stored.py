"""What a store holds of trials, without what differs from run to run: times, ids, the wall clock."""

import hashlib
import tempfile
from pathlib import Path

from safetensors import safe_open

from bench import results
from bench.track import open_client

CLOCKS = {"seconds", "eval_seconds", "log_seconds"}


def weights(content):
    """Every tensor and the metadata of a safetensors file, whose header has them in an order that is not fixed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights"
        path.write_bytes(content)
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key).numpy().tobytes() for key in sorted(file.keys())}
            return hashlib.sha256(repr((tensors, sorted(file.metadata().items()))).encode()).hexdigest()


def content(folder, experiment="bench"):
    """{trial: its status, scores, every point of its curves, weights, pictures}, and how often each trial is there."""
    uri = f"sqlite:///{folder}/mlflow.db"
    loaded, client = results.load(uri, experiment=experiment), open_client(uri)
    found = {}
    for row in loaded.trials[loaded.trials["kind"] == "trial"].to_dict("records"):
        run_id = row["run_id"]
        points = sorted(
            (key, point.step, point.value)
            for key in client.get_run(run_id).data.metrics
            if key not in CLOCKS
            for point in client.get_metric_history(run_id, key)
        )
        files = {
            name: hashlib.sha256(loaded.artifact(run_id, name) or b"").hexdigest()
            for name in ("training.gif", "samples.png")
        }
        packed = loaded.artifact(run_id, "weights.safetensors")
        files["weights.safetensors"] = weights(packed) if packed else None
        images = sorted(path.partition("+timestamp")[0] for path in loaded.artifacts(run_id, "images"))
        found[row["cell"], row["seed"]] = {"status": row["status"], "points": points, "files": files, "images": images}
    return found


def runs(folder):
    """How many trials' runs there are in the store, repeats counted."""
    client = open_client(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("bench").experiment_id
    return len(client.search_runs([experiment], "tags.`bench.kind` = 'trial'"))
