"""Draws `docs/seen.png`: one pose, and six ways in which the infant can see its arm. Run: `python docs/draw_seen.py`."""

from pathlib import Path

import gymnasium as gym
import numpy as np
from PIL import Image, ImageDraw

import infant_env  # noqa: F401 (registers the environments)
from infant_env import Seen

WAYS = {
    "as it is": None,
    "turn=20": Seen(turn=20.0),
    "mirror=True": Seen(mirror=True),
    "offsets: elbow +60 degrees": Seen(offsets={"right_elbow_flexion": np.deg2rad(60.0)}),
    "body=2.0 (months)": Seen(body=2.0),
    "shift 6 cm to the front, color": Seen(shift=(0.06, 0.0, 0.0), color=(0.9, 0.6, 0.3)),
}
POSE = [0.75, 0.45, 0.0, 0.75, 0.0]
ROWS, COLUMNS, GAP = 150, 250, 4


def main() -> None:
    """Draws the picture."""
    env = gym.make("InfantArm-v0", eye_size=(ROWS, COLUMNS)).unwrapped
    sheet = Image.new("RGB", (3 * COLUMNS + 2 * GAP, 2 * (ROWS + 18)), "white")
    for number, (name, seen) in enumerate(WAYS.items()):
        env.show(seen)
        observation, _ = env.reset(seed=0, options={"joints": POSE})
        place = (number % 3) * (COLUMNS + GAP), (number // 3) * (ROWS + 18)
        ImageDraw.Draw(sheet).text((place[0] + 2, place[1] + 3), name, fill="black")
        sheet.paste(Image.fromarray(observation["eye"]), (place[0], place[1] + 16))
    sheet.quantize(64, dither=Image.Dither.NONE).save(Path(__file__).parent / "seen.png", optimize=True)


if __name__ == "__main__":
    main()
