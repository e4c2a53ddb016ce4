"""Read the data set with h5py alone, without this project.

    infant-arm collect --out data/paper            # once; 20,000 poses
    python examples/read_a_dataset.py data/paper [PICTURE]

`index.h5` shows all shards as one file. We find the samples in which the hand is highest, farthest to the left and nearest to
the body, and save what the eye saw in each.
"""

import json
import sys
from pathlib import Path

import h5py
import imageio.v3 as iio
import numpy as np

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quick/dataset")
about = json.loads((folder / "dataset.json").read_text())
print("joints:", about["body"]["joint_names"])
print("kept:", about["accepted"], "rejected:", about["rejected"])

with h5py.File(folder / "index.h5") as file:
    for name, column in file.items():
        print(f"{name:15} {column.shape!s:22} {column.dtype}")
    hand = file["hand_position"][:]  # metres; x forward, y to the left, z up
    chosen = {
        "highest": hand[:, 2].argmax(),
        "farthest to the left": hand[:, 1].argmax(),
        "nearest to the body": np.linalg.norm(hand[:, :2], axis=1).argmin(),
    }
    for label, i in chosen.items():
        print(
            f"{label}: sample {i}, hand at {(100 * hand[i]).round(1)} cm, joints {np.degrees(file['joints'][i]).round()} deg"
        )
    pictures = [file["eye"][i] for i in chosen.values()]  # reads these samples only

path = sys.argv[2] if len(sys.argv) > 2 else "read_a_dataset.png"
iio.imwrite(path, np.concatenate(pictures, axis=1))
print("saved", path)
